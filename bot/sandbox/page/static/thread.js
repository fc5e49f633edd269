// The thread beside the channel: its parent, its replies, and a place to answer.

import { look } from "./api.js";
import { composer } from "./composer.js";
import { h } from "./dom.js";
import { MessageList } from "./messages.js";

export class Thread {
  /** `onClose()` runs when it is closed by its button or by Escape. */
  constructor(aside, context, complete, onClose) {
    this.aside = aside;
    this.context = context;
    this.channel = null;
    this.ts = null;
    const list = h("ol", { class: "messages" });
    const form = h("form", { class: "composer", "aria-label": "Reply in thread" });
    this.list = new MessageList(list, context, null);
    this.scroll = h("div", { class: "scroll", role: "log", "aria-label": "Messages of the thread", "aria-live": "off", tabindex: "0" }, list);
    aside.append(
      h("header", {}, h("h2", {}, "Thread"),
        h("button", { type: "button", class: "plain x", "aria-label": "Close thread", onclick: onClose }, "✕")),
      this.scroll, form);
    aside.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented) onClose();
    });
    const where = () => ({ user: context().reader.me, channel: this.channel, thread_ts: this.ts });
    this.write = composer(form, where, { inThread: true, complete });
  }

  async open(channel, ts, { focus = true } = {}) {
    const another = ts !== this.ts;
    this.channel = channel;
    this.ts = ts;
    if (another) this.list.clear();
    this.aside.hidden = false;
    document.body.classList.add("with-thread");
    this.write.at("", `${channel}/${ts}`);
    await this.refresh();
    if (another) this.scroll.scrollTop = this.scroll.scrollHeight;
    if (focus) this.aside.querySelector("textarea").focus();
  }

  close() {
    this.ts = null;
    this.aside.hidden = true;
    document.body.classList.remove("with-thread");
  }

  async refresh() {
    const { channel, ts } = this;
    if (!ts) return;
    const { messages } = await look(`thread/${channel}/${ts}`, { user: this.context().reader.me });
    if (ts !== this.ts) return;
    const first = this.list.drawn.size === 0;
    const atEnd = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < 80;
    this.list.show(messages, { aloud: !first });
    if (atEnd) this.scroll.scrollTop = this.scroll.scrollHeight;
  }
}
