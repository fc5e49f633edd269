// Block Kit as DOM. `surface` = {reader, press, fields, errors}: who reads, what a press does, where fields gather.

import { h, newId } from "./dom.js";
import { element } from "./elements.js";
import { withEmoji } from "./emoji.js";
import { field } from "./fields.js";
import { mrkdwn } from "./mrkdwn.js";
import { richText } from "./rich_text.js";

const INTERACTIVE_FIELDS = /select$|picker$|^checkboxes$|^radio_buttons$|_input$/;

export function blocks(list, surface) {
  return list.map((block) => drawn(block, surface));
}

export function text(object, reader) {
  if (!object) return "";
  return object.type === "mrkdwn" ? mrkdwn(object.text, reader) : withEmoji(object.text);
}

function drawn(block, surface) {
  const draw = BLOCKS[block.type];
  if (!draw) return h("p", { class: "block quiet" }, `(a ${block.type} block, which this page does not draw)`);
  return draw(block, surface);
}

const BLOCKS = {
  section(block, surface) {
    const fields = (block.fields ?? []).map((f) => h("div", {}, text(f, surface.reader)));
    const label = newId("section");
    return h("div", { class: "block section" },
      h("div", { class: "section-text" },
        block.text && h("div", { id: label }, text(block.text, surface.reader)),
        fields.length > 0 && h("div", { class: "fields" }, fields)),
      block.accessory && h("div", { class: "accessory" }, placed(block.accessory, block, surface, label)));
  },
  actions(block, surface) {
    return h("div", { class: "block actions" }, block.elements.map((e) => placed(e, block, surface)));
  },
  context(block, surface) {
    const parts = block.elements.map((e) =>
      e.type === "image" ? image(e) : h("span", {}, text(e, surface.reader)));
    return h("div", { class: "block context" }, parts);
  },
  header(block, surface) {
    return h("h3", { class: "block header" }, text(block.text, surface.reader));
  },
  divider: () => h("hr", { class: "block" }),
  image(block, surface) {
    const title = block.title && h("figcaption", {}, text(block.title, surface.reader));
    return h("figure", { class: "block image" }, title, image(block));
  },
  rich_text: (block, surface) => h("div", { class: "block" }, richText(block, surface.reader)),
  markdown: (block) => h("div", { class: "block lines" }, block.text),
  table(block, surface) {
    const rows = block.rows.map((row, index) => h("tr", {}, row.map((cell) =>
      h(index ? "td" : "th", {}, cell.type === "rich_text" ? richText(cell, surface.reader) : cell.text))));
    return h("div", { class: "block table" }, h("table", {}, h("tbody", {}, rows)));
  },
  alert: (block, surface) =>
    h("p", { class: `block alert ${block.level ?? "default"}`, role: "note" }, text(block.text, surface.reader)),
  input(block, surface) {
    const made = field(block.element, surface, { block, held: heldBy(block, block.element, surface) });
    surface.fields.push({ block: block.block_id, action: block.element.action_id, read: made.read });
    const problem = surface.errors?.[block.block_id];
    const help = newId("help");
    const control = made.control ?? made.node;
    if (problem) control.setAttribute("aria-invalid", "true");
    if (problem || block.hint) control.setAttribute("aria-describedby", help);
    if (block.dispatch_action) {
      made.node.addEventListener("change", () =>
        surface.press({ action_id: block.element.action_id, block_id: block.block_id, value: made.value() }));
    }
    const label = h("span", { class: "label" }, text(block.label, surface.reader),
      block.optional && h("span", { class: "quiet" }, " (optional)"));
    const notes = h("span", { id: help, class: problem ? "problem" : "quiet hint", role: problem && "alert" },
      problem ?? text(block.hint, surface.reader));
    if (made.isGroup) return h("fieldset", { class: "block input" }, h("legend", {}, label), made.node, notes);
    const id = control.id || newId("field");
    control.id = id;
    return h("div", { class: "block input" }, h("label", { for: id }, label), made.node, notes);
  },
};

/** An element of a section or an actions block: pressed at once, and in a form also part of its state. */
function placed(item, block, surface, labelledBy = null) {
  if (item.type === "image") return image(item);
  if (!INTERACTIVE_FIELDS.test(item.type)) return element(item, block, surface);
  const made = field(item, surface, { block, held: heldBy(block, item, surface) });
  const control = made.control ?? made.node;
  if (labelledBy) control.setAttribute("aria-labelledby", labelledBy);
  else control.setAttribute("aria-label", item.placeholder?.text ?? "Choose");
  surface.fields?.push({ block: block.block_id, action: item.action_id, read: made.read });
  made.node.addEventListener("change", () =>
    surface.press({ action_id: item.action_id, block_id: block.block_id, option: made.value() }));
  return made.node;
}

function heldBy(block, item, surface) {
  return surface.state?.[block.block_id]?.[item.action_id] ?? null;
}

function image(item) {
  return h("img", { src: item.image_url, alt: item.alt_text, loading: "lazy", referrerpolicy: "no-referrer" });
}
