// Slack's mrkdwn as DOM nodes. Text arrives escaped (&amp; &lt; &gt;); everything else is literal.

import { dateText, fullDate } from "./dates.js";
import { h } from "./dom.js";
import { emoji } from "./emoji.js";

const INLINE = new RegExp(
  [
    "`([^`\\n]+)`",
    "<([^<>\\n]+)>",
    "(?<![\\w*])\\*(?=\\S)([^*\\n]*[^*\\s])\\*(?![\\w*])",
    "(?<![\\w_])_(?=\\S)([^_\\n]*[^_\\s])_(?![\\w_])",
    "(?<![\\w~])~(?=\\S)([^~\\n]*[^~\\s])~(?![\\w~])",
    ":([a-z0-9_+-]+):",
    "(\\n)",
  ].join("|"),
  "g",
);
const WRAPPED = ["strong", "em", "s"];

export function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** `reader` knows names: {people, channels, groups, me, tz}. */
export function mrkdwn(text, reader) {
  const whole = document.createDocumentFragment();
  text.split(/```([\s\S]+?)```/).forEach((part, index) => {
    if (index % 2) whole.append(h("pre", {}, unescape(part.replace(/^\n|\n$/g, ""))));
    else if (part) whole.append(...quoted(part, reader));
  });
  return whole;
}

function quoted(text, reader) {
  const nodes = [];
  let quote = [];
  let plain = [];
  const flush = () => {
    if (quote.length) nodes.push(h("blockquote", {}, inline(quote.join("\n"), reader)));
    if (plain.length) nodes.push(...inline(plain.join("\n"), reader));
    quote = [];
    plain = [];
  };
  for (const line of text.split("\n")) {
    const isQuote = /^(>|&gt;)/.test(line);
    if (isQuote ? plain.length : quote.length) flush();
    (isQuote ? quote : plain).push(isQuote ? line.replace(/^(>|&gt;)\s?/, "") : line);
  }
  flush();
  return nodes;
}

function inline(text, reader) {
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    if (found.index > at) nodes.push(unescape(text.slice(at, found.index)));
    nodes.push(drawn(found, reader));
    at = found.index + found[0].length;
  }
  if (at < text.length) nodes.push(unescape(text.slice(at)));
  return nodes;
}

function drawn(found, reader) {
  const [, code, token, ...rest] = found;
  if (code !== undefined) return h("code", {}, unescape(code));
  if (token !== undefined) return reference(token, reader);
  const wrapped = rest.slice(0, 3).findIndex((part) => part !== undefined);
  if (wrapped >= 0) return h(WRAPPED[wrapped], {}, inline(rest[wrapped], reader));
  return rest[3] === undefined ? h("br") : emoji(rest[3]);
}

function reference(token, reader) {
  const bar = token.indexOf("|");
  const target = bar < 0 ? token : token.slice(0, bar);
  const label = bar < 0 ? null : unescape(token.slice(bar + 1));
  if (target.startsWith("@")) return mention(target.slice(1), reader, label);
  if (target.startsWith("#")) return channelLink(target.slice(1), reader, label);
  if (target.startsWith("!date^")) return date(target, label, reader);
  if (target.startsWith("!subteam^")) {
    const group = target.split("^")[1];
    return h("span", { class: "mention" }, label ?? `@${reader.groups[group] ?? group}`);
  }
  if (target.startsWith("!")) return h("span", { class: "mention loud" }, `@${target.slice(1)}`);
  return link(unescape(target), [label ?? unescape(target).replace(/^mailto:/, "")]);
}

export function mention(user, reader, label = null) {
  const person = reader.people.get(user);
  const kind = user === reader.me ? "mention me" : "mention";
  return h("span", { class: kind }, `@${person?.name ?? label ?? user}`);
}

export function channelLink(channel, reader, label = null) {
  const name = reader.channels.get(channel)?.name ?? label ?? channel;
  return h("a", { class: "mention", href: `#${channel}` }, `#${name}`);
}

/** True for the web and for mail; a message may carry any other scheme, and none of them is followed. */
export function leadsOut(url) {
  return /^(https?:|mailto:)/i.test(url);
}

/** A link, when it leads to the web or to mail; its label alone otherwise. */
export function link(url, label) {
  if (!leadsOut(url)) return h("span", {}, label);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}

function date(target, label, reader) {
  const [, unix, format, url] = target.split("^");
  if (!/^\d+$/.test(unix) || !format) return label ?? "";
  const time = h(
    "time",
    { datetime: new Date(unix * 1000).toISOString(), title: fullDate(unix, reader.tz) },
    dateText(Number(unix), format, reader.tz),
  );
  return url ? link(unescape(url), [time]) : time;
}
