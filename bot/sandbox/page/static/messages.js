// The list of messages of a channel or a thread. A message is drawn again only when it changed, so an open menu
// or a half-chosen option elsewhere survives an update.

import { slack } from "./api.js";
import { blocks } from "./blocks.js";
import { clockTime, fullDate } from "./dates.js";
import { avatar, h } from "./dom.js";
import { emoji } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";

export class MessageList {
  /** `context()` gives {reader, workspace, channel}; `openThread(ts)` opens a thread, null inside one. */
  constructor(list, context, openThread) {
    this.list = list;
    this.context = context;
    this.openThread = openThread;
    this.drawn = new Map();
    this.dismissed = new Set();
  }

  clear() {
    this.drawn.clear();
    this.list.replaceChildren();
  }

  show(messages) {
    const shown = messages.filter((m) => !this.dismissed.has(m.ts));
    const wanted = new Set(shown.map((m) => m.ts));
    for (const [ts, { node }] of this.drawn) {
      if (!wanted.has(ts)) {
        node.remove();
        this.drawn.delete(ts);
      }
    }
    let before = null;
    for (const message of shown) {
      const print = JSON.stringify(message);
      const old = this.drawn.get(message.ts);
      if (old?.print !== print) {
        const node = this.draw(message);
        if (old) old.node.replaceWith(node);
        else if (before) before.after(node);
        else this.list.prepend(node);
        this.drawn.set(message.ts, { print, node });
      }
      before = this.drawn.get(message.ts).node;
    }
  }

  draw(message) {
    const { reader, workspace } = this.context();
    const isBot = message.user === workspace.bot.id;
    const author = message.user === workspace.slackbot ? "Slackbot" : reader.people.get(message.user)?.name;
    const unix = Number(message.ts);
    return h("li", { class: message.ephemeral_to ? "message ephemeral" : "message", "data-ts": message.ts },
      avatar(author ?? "?", isBot),
      h("div", { class: "body" },
        this.note(message),
        h("p", { class: "by" },
          h("strong", {}, author ?? message.user),
          isBot && h("span", { class: "badge" }, "APP"),
          h("time", { class: "quiet", title: fullDate(unix, reader.tz) }, clockTime(unix * 1000, reader.tz))),
        h("div", { class: "content" }, this.content(message)),
        this.foot(message)));
  }

  note(message) {
    if (message.ephemeral_to) return h("p", { class: "quiet note" }, "Only visible to you");
    if (message.is_reply && this.openThread) {
      return h("p", { class: "quiet note" }, "replied to ", h("button", {
        type: "button", class: "plain", onclick: () => this.openThread(message.thread_ts),
      }, "a thread"));
    }
    return null;
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
      press: (what) => slack("action", { ...where, ...what }),
      options: (what) => slack("options", { ...where, ...what }),
    };
  }

  foot(message) {
    const reactions = (message.reactions ?? []).map((r) =>
      h("span", { class: "reaction", title: r.name }, emoji(r.name), ` ${r.count}`));
    const parts = reactions.length ? [h("p", { class: "reactions" }, reactions)] : [];
    if (message.ephemeral_to) {
      parts.push(h("button", {
        type: "button", class: "plain small",
        onclick: () => {
          this.dismissed.add(message.ts);
          this.drawn.get(message.ts)?.node.remove();
          this.drawn.delete(message.ts);
        },
      }, "Dismiss"));
    } else if (this.openThread && !message.is_reply) {
      const count = message.reply_count ?? 0;
      const label = count ? `${count} ${count === 1 ? "reply" : "replies"}` : "Reply in thread";
      parts.push(h("button", {
        type: "button", class: count ? "plain small replies" : "plain small quiet reply",
        onclick: () => this.openThread(message.ts),
      }, label));
    }
    return parts;
  }
}
