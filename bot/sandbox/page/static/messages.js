// The list of messages of a channel or a thread. A message is drawn again only when it changed, so an open menu
// or a half-chosen option elsewhere survives an update; focus stays where it was.

import { slack } from "./api.js";
import { blocks } from "./blocks.js";
import { clockTime, dayName, fullDate } from "./dates.js";
import { avatar, h, say } from "./dom.js";
import { emoji } from "./emoji.js";
import { tab } from "./kept.js";
import { mrkdwn } from "./mrkdwn.js";

const dismissed = new Set(tab.get("dismissed", []));

export class MessageList {
  /** `context()` gives {reader, workspace}; `openThread(ts)` opens a thread, null inside one. */
  constructor(list, context, openThread) {
    this.list = list;
    this.context = context;
    this.openThread = openThread;
    this.drawn = new Map();
    this.newFrom = null;
    list.addEventListener("keydown", (event) => this.keys(event));
  }

  clear() {
    this.drawn.clear();
    this.newFrom = null;
    this.list.replaceChildren();
  }

  /** `aloud`: what is new or says something new is also told to a screen reader. */
  show(messages, { aloud = false } = {}) {
    const shown = messages.filter((m) => !dismissed.has(m.ts));
    const wanted = new Set(shown.map((m) => m.ts));
    for (const [ts, { node }] of this.drawn) {
      if (!wanted.has(ts)) {
        node.remove();
        this.drawn.delete(ts);
      }
    }
    let before = null;
    let day = null;
    for (const message of shown) {
      const today = dayName(Number(message.ts), this.context().reader.tz);
      const dividers = [this.openThread && today !== day && today, message.ts === this.newFrom && "New"].filter(Boolean);
      day = today;
      this.place(message, dividers, before, aloud);
      before = this.drawn.get(message.ts).node;
    }
  }

  place(message, dividers, before, aloud) {
    const print = JSON.stringify([message, dividers]);
    const old = this.drawn.get(message.ts);
    if (old?.print === print) return;
    const node = this.draw(message, dividers);
    if (old) {
      const held = heldFocus(old.node);
      old.node.replaceWith(node);
      if (held !== null) refocus(node, held);
      if (old.text !== message.text) node.classList.add("changed");
    } else if (before) before.after(node);
    else this.list.prepend(node);
    if (aloud && old?.text !== message.text) say(`${old ? "Changed: " : ""}${this.author(message)}: ${message.text}`);
    this.drawn.set(message.ts, { print, node, text: message.text });
  }

  author(message) {
    const { reader, workspace } = this.context();
    return message.user === workspace.slackbot ? "Slackbot" : reader.people.get(message.user)?.name ?? message.user;
  }

  draw(message, dividers) {
    const { reader, workspace } = this.context();
    const isBot = message.user === workspace.bot.id;
    const author = this.author(message);
    const unix = Number(message.ts);
    return h("li", { class: message.ephemeral_to ? "message ephemeral" : "message", "data-ts": message.ts, tabindex: "-1" },
      dividers.map((text) => h("p", { class: text === "New" ? "divider new" : "divider" }, h("span", {}, text))),
      h("div", { class: "row" },
        avatar(author, isBot),
        h("div", { class: "body" },
          this.note(message),
          h("p", { class: "by" },
            h("strong", {}, author),
            isBot && h("span", { class: "badge" }, "APP"),
            h("time", { class: "quiet", datetime: new Date(unix * 1000).toISOString(), title: fullDate(unix, reader.tz) },
              clockTime(unix * 1000, reader.tz))),
          h("div", { class: "content" }, this.content(message)),
          this.foot(message))));
  }

  note(message) {
    if (message.ephemeral_to) return h("p", { class: "quiet note" }, "👁 Only visible to you");
    if (!message.is_reply || !message.broadcast) return null;
    if (!this.openThread) return h("p", { class: "quiet note" }, "Also sent to the channel");
    return h("p", { class: "quiet note" }, "replied to a thread: ", h("button", {
      type: "button", class: "plain", onclick: () => this.openThread(message.thread_ts),
    }, shortened(message.parent_text ?? "a deleted message")));
  }

  content(message) {
    const { reader } = this.context();
    const surface = this.surface(message);
    const parts = message.blocks?.length
      ? blocks(message.blocks, surface)
      : [h("div", { class: "block" }, mrkdwn(message.text, reader))];
    for (const attachment of message.attachments ?? []) {
      const inside = attachment.blocks
        ? blocks(attachment.blocks, surface)
        : mrkdwn(attachment.text ?? attachment.fallback ?? "", reader);
      const bar = h("div", { class: "attachment" }, inside);
      if (/^#[0-9a-f]{3,8}$/i.test(attachment.color ?? "")) bar.style.borderLeftColor = attachment.color;
      parts.push(bar);
    }
    return parts;
  }

  surface(message) {
    const { reader } = this.context();
    const where = { user: reader.me, channel: message.channel, message: message.ts };
    return {
      reader,
      fields: [],
      press: (what, label) => slack("action", { ...where, ...what }, label),
      options: (what) => slack("options", { ...where, ...what }),
    };
  }

  foot(message) {
    const reactions = (message.reactions ?? []).map((r) =>
      h("span", { class: "reaction", title: r.name }, emoji(r.name), ` ${r.count}`));
    const parts = reactions.length ? [h("p", { class: "reactions" }, reactions)] : [];
    if (message.ephemeral_to) {
      parts.push(h("button", { type: "button", class: "plain small", onclick: () => this.dismiss(message.ts) }, "Dismiss"));
    } else if (this.openThread && !message.is_reply) {
      const count = message.reply_count ?? 0;
      const label = count ? `${count} ${count === 1 ? "reply" : "replies"}` : "Reply in thread";
      parts.push(h("button", {
        type: "button", class: count ? "plain small replies" : "plain small quiet reply", "data-key": "thread",
        onclick: () => this.openThread(message.ts),
      }, label));
    }
    return parts;
  }

  dismiss(ts) {
    dismissed.add(ts);
    tab.set("dismissed", [...dismissed].slice(-500));
    const { node } = this.drawn.get(ts);
    (node.previousElementSibling ?? node.nextElementSibling)?.focus();
    node.remove();
    this.drawn.delete(ts);
  }

  /** Up and down go from message to message; Tab goes on to the buttons of the one reached. */
  keys(event) {
    const at = event.target.closest("li.message");
    if (!at || !["ArrowUp", "ArrowDown", "Home", "End"].includes(event.key)) return;
    if (event.target !== at && event.target.matches("input, textarea, select")) return;
    const all = [...this.list.querySelectorAll(":scope > li.message")];
    const to = { ArrowUp: all.indexOf(at) - 1, ArrowDown: all.indexOf(at) + 1, Home: 0, End: all.length - 1 }[event.key];
    all[to]?.focus();
    event.preventDefault();
  }
}

function shortened(text) {
  const plain = text.replace(/<[^|>]*\|([^>]*)>/g, "$1").replaceAll("&amp;", "&").replaceAll("&lt;", "<").replaceAll("&gt;", ">");
  return plain.length > 70 ? `${plain.slice(0, 69)}…` : plain;
}

/** What had the focus inside `node`: a control's key, "" for something without one, null when it was elsewhere. */
function heldFocus(node) {
  if (!node.contains(document.activeElement)) return null;
  return document.activeElement.dataset.key ?? "";
}

function refocus(node, key) {
  const same = key && node.querySelector(`[data-key="${CSS.escape(key)}"]`);
  (same || node).focus({ preventScroll: true });
}
