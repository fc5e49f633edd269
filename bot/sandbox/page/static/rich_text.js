// The rich_text block: sections, lists, quotes and preformatted text.

import { dateText } from "./dates.js";
import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { channelLink, link, mention } from "./mrkdwn.js";

export function richText(block, reader) {
  return h("div", { class: "rich-text" }, block.elements.map((part) => drawnPart(part, reader)));
}

function drawnPart(part, reader) {
  const runs = () => part.elements.map((run) => drawnRun(run, reader));
  if (part.type === "rich_text_list") {
    const items = part.elements.map((item) => h("li", {}, drawnPart(item, reader)));
    return h(part.style === "ordered" ? "ol" : "ul", { class: `indent-${part.indent ?? 0}` }, items);
  }
  if (part.type === "rich_text_preformatted") return h("pre", {}, runs());
  if (part.type === "rich_text_quote") return h("blockquote", {}, runs());
  return h("div", { class: "lines" }, runs());
}

function drawnRun(run, reader) {
  const styles = { bold: "strong", italic: "em", strike: "s", code: "code" };
  let node = plainRun(run, reader);
  for (const [style, tag] of Object.entries(styles)) {
    if (run.style?.[style]) node = h(tag, {}, node);
  }
  return node;
}

function plainRun(run, reader) {
  switch (run.type) {
    case "link":
      return link(run.url, [run.text ?? run.url]);
    case "user":
      return mention(run.user_id, reader);
    case "channel":
      return channelLink(run.channel_id, reader);
    case "usergroup":
      return h("span", { class: "mention" }, `@${reader.groups[run.usergroup_id] ?? run.usergroup_id}`);
    case "broadcast":
      return h("span", { class: "mention loud" }, `@${run.range}`);
    case "emoji":
      return emoji(run.name);
    case "date":
      return h("time", {}, dateText(run.timestamp, run.format, reader.tz));
    default:
      return run.text ?? "";
  }
}
