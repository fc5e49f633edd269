// The channel one looks at: its newest messages, earlier ones on request, and single ones again as they change.
// Whatever changes above, what one reads stays where it is.

import { look } from "./api.js";
import { MessageList } from "./messages.js";

const NEAR = 80; // pixels from the end that still count as reading the newest
const MANY = 40; // changed messages from which looking at everything is cheaper

export class Conversation {
  /** `context()` gives {reader, workspace}; `onRead(channel, ts)` hears of the newest message that was shown. */
  constructor(parts, context, openThread, onRead) {
    this.scroll = parts.scroll;
    this.earlierButton = parts.earlier;
    this.newerButton = parts.newer;
    this.list = new MessageList(parts.list, context, openThread);
    this.context = context;
    this.onRead = onRead;
    this.channel = null;
    this.messages = new Map();
    this.asked = new Set();
    this.earlierButton.onclick = () => this.earlier();
    this.newerButton.onclick = () => this.toEnd();
    this.scroll.addEventListener("scroll", () => this.atEnd() && this.caughtUp());
  }

  /** Leaves the channel for another; `seen` is the newest ts its reader has seen there. */
  open(channel, seen) {
    this.channel = channel;
    this.seen = seen;
    this.messages.clear();
    this.asked.clear();
    this.list.clear();
    this.earlierButton.hidden = this.newerButton.hidden = true;
  }

  async load() {
    const here = this.channel;
    if (!here) return;
    const first = this.messages.size === 0;
    const { messages, more } = await look(`channel/${here}`, { user: this.context().reader.me });
    if (here !== this.channel) return;
    const oldest = messages[0]?.ts ?? "";
    // Earlier ones that were asked for stay; what is missing from the newest is gone.
    for (const ts of this.messages.keys()) if (ts >= oldest) this.messages.delete(ts);
    messages.forEach((m) => this.messages.set(m.ts, m));
    if (this.messages.size === messages.length) this.earlierButton.hidden = !more;
    if (first) this.list.newFrom = messages.find((m) => this.seen && m.ts > this.seen && m.user !== this.context().reader.me)?.ts;
    this.draw({ aloud: !first, toEnd: first });
  }

  /** The message `ts` changed, came or went. */
  async changed(ts) {
    this.asked.add(ts);
    await Promise.resolve();
    if (this.busy || !this.asked.size) return;
    this.busy = true;
    try {
      while (this.asked.size) await this.refetch();
    } finally {
      this.busy = false;
    }
  }

  async refetch() {
    const here = this.channel;
    const wanted = [...this.asked];
    this.asked.clear();
    if (!this.messages.size) return this.load();
    if (wanted.length > MANY) return this.load();
    const { messages } = await look(`channel/${here}`, { user: this.context().reader.me, only: wanted.join(",") });
    if (here !== this.channel) return undefined;
    // One from before the part that is shown would leave a gap behind it: it comes with the earlier ones.
    const oldest = [...this.messages.keys()].reduce((a, b) => (a < b ? a : b), "");
    wanted.forEach((ts) => this.messages.delete(ts));
    for (const m of messages) if ((!m.is_reply || m.broadcast) && m.ts >= oldest) this.messages.set(m.ts, m);
    this.draw({ aloud: true });
    return undefined;
  }

  async earlier() {
    const oldest = [...this.messages.keys()].sort()[0];
    const { messages, more } = await look(`channel/${this.channel}`, { user: this.context().reader.me, before: oldest });
    messages.forEach((m) => this.messages.set(m.ts, m));
    this.earlierButton.hidden = !more;
    this.draw({});
    this.list.drawn.get(messages.at(-1)?.ts)?.node.focus({ preventScroll: true });
  }

  draw({ aloud = false, toEnd = false }) {
    const stay = toEnd || this.atEnd();
    const anchor = stay ? null : this.topmost();
    const newest = this.newest();
    this.list.show([...this.messages.values()].sort((a, b) => (a.ts < b.ts ? -1 : 1)), { aloud });
    if (stay) this.toEnd();
    else if (anchor) {
      const node = this.list.drawn.get(anchor.ts)?.node;
      if (node) this.scroll.scrollTop += node.getBoundingClientRect().top - anchor.top;
      if (this.newest() !== newest) this.newerButton.hidden = false;
    }
  }

  newest() {
    return [...this.list.drawn.keys()].reduce((a, b) => (a > b ? a : b), "");
  }

  topmost() {
    const edge = this.scroll.getBoundingClientRect().top;
    for (const [ts, { node }] of this.list.drawn) {
      const box = node.getBoundingClientRect();
      if (box.bottom > edge) return { ts, top: box.top };
    }
    return null;
  }

  atEnd() {
    return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < NEAR;
  }

  toEnd() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.caughtUp();
  }

  caughtUp() {
    this.newerButton.hidden = true;
    const newest = this.newest();
    if (newest) this.onRead(this.channel, newest);
  }
}
