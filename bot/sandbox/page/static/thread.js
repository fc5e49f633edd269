// The thread beside the channel: its parent, its replies, and a place to answer.

import { composer } from "./composer.js";
import { h } from "./dom.js";
import { MessageList } from "./messages.js";

export class Thread {
  constructor(aside, context) {
    this.aside = aside;
    this.context = context;
    this.channel = null;
    this.ts = null;
    this.messages = [];
    const list = h("ol", { class: "messages", role: "log", "aria-label": "Messages of the thread" });
    const form = h("form", { class: "composer", "aria-label": "Reply in thread" });
    this.list = new MessageList(list, context, null);
    this.scroll = h("div", { class: "scroll" }, list);
    aside.append(
      h("header", {}, h("h2", {}, "Thread"),
        h("button", { type: "button", class: "plain x", "aria-label": "Close thread", onclick: () => this.close() }, "✕")),
      this.scroll, form);
    const where = () => ({ user: context().reader.me, channel: this.channel, thread_ts: this.ts });
    composer(form, where, { inThread: true }).name("");
  }

  open(channel, ts) {
    this.channel = channel;
    this.ts = ts;
    this.list.clear();
    this.aside.hidden = false;
    document.body.classList.add("with-thread");
    this.show(this.messages);
    this.aside.querySelector("textarea").focus();
  }

  close() {
    this.ts = null;
    this.aside.hidden = true;
    document.body.classList.remove("with-thread");
  }

  show(messages) {
    this.messages = messages;
    if (!this.ts) return;
    this.list.show(messages.filter((m) => m.ts === this.ts || m.thread_ts === this.ts));
    this.scroll.scrollTop = this.scroll.scrollHeight;
  }
}
