// Fields that hold a value. Each is {node, control?, isGroup?, value(), read()}; `read` gives Slack's state shape.

import { h, newId } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { combobox } from "./combobox.js";

export function field(item, surface, place) {
  const make = FIELDS[item.type] ?? unknown;
  return make(item, surface, place);
}

function inputField(item, attributes, initial) {
  const node = h(item.multiline ? "textarea" : "input", {
    autocomplete: "off",
    placeholder: item.placeholder ? withEmoji(item.placeholder.text) : null,
    maxlength: item.max_length ?? null,
    autofocus: item.focus_on_load ?? null,
    ...(item.multiline ? { rows: 4 } : {}),
    ...attributes,
    value: initial ?? "",
  });
  return { node, value: () => node.value || null };
}

function typed(type) {
  return (item, _surface, { held }) => {
    const made = inputField(item, item.multiline ? {} : { type }, held?.value ?? item.initial_value);
    return { ...made, read: () => ({ type: item.type, value: made.value() }) };
  };
}

function picked(type, name, initial) {
  return (item, _surface, { held }) => {
    const made = inputField(item, { type }, held?.[name] ?? item[initial]);
    return { ...made, read: () => ({ type: item.type, [name]: made.value() }) };
  };
}

function dateTime(item, _surface, { held }) {
  const unix = held?.selected_date_time ?? item.initial_date_time;
  const local = unix && new Date(unix * 1000 - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  const { node } = inputField(item, { type: "datetime-local" }, local);
  const value = () => (node.value ? Math.floor(new Date(node.value).getTime() / 1000) : null);
  return { node, value, read: () => ({ type: item.type, selected_date_time: value() }) };
}

function richInput(item, _surface, { held }) {
  const before = held?.rich_text_value?.elements?.[0]?.elements?.[0]?.text;
  const { node } = inputField({ ...item, multiline: true }, {}, before);
  const value = () => node.value && {
    type: "rich_text",
    elements: [{ type: "rich_text_section", elements: [{ type: "text", text: node.value }] }],
  };
  return { node, value, read: () => ({ type: item.type, rich_text_value: value() || null }) };
}

function optionNode(option, chosen) {
  return h("option", { value: option.value, selected: option.value === chosen }, withEmoji(option.text.text));
}

function everyOption(item) {
  return item.options ?? (item.option_groups ?? []).flatMap((group) => group.options);
}

function select(item, _surface, { held }) {
  const chosen = (held ? held.selected_option : item.initial_option)?.value;
  const groups = (item.option_groups ?? []).map((group) =>
    h("optgroup", { label: group.label.text }, group.options.map((o) => optionNode(o, chosen))));
  const node = h("select", { autocomplete: "off" },
    h("option", { value: "", selected: !chosen }, item.placeholder?.text ?? "Choose…"),
    groups.length ? groups : item.options.map((o) => optionNode(o, chosen)));
  const value = () => node.value || null;
  const whole = () => everyOption(item).find((o) => o.value === node.value) ?? null;
  return { node, value, read: () => ({ type: item.type, selected_option: whole() }) };
}

function choices(item, options, chosen, many) {
  const name = newId("choice");
  const rows = options.map((option) => h("label", { class: "choice" },
    h("input", {
      type: many ? "checkbox" : "radio", name, value: option.value, checked: chosen.includes(option.value),
    }),
    h("span", {}, withEmoji(option.text.text),
      option.description && h("small", { class: "quiet" }, withEmoji(option.description.text)))));
  const node = h("div", { class: "choices", role: many ? "group" : "radiogroup" }, rows);
  const values = () => [...node.querySelectorAll("input:checked")].map((input) => input.value);
  return { node, isGroup: true, values, many };
}

function boxes(item, _surface, { held }) {
  const options = everyOption(item);
  const chosen = (held ? held.selected_options : item.initial_options) ?? [];
  const made = choices(item, options, chosen.map((o) => o.value), true);
  const whole = () => options.filter((o) => made.values().includes(o.value));
  return { ...made, value: made.values, read: () => ({ type: item.type, selected_options: whole() }) };
}

function radios(item, _surface, { held }) {
  const chosen = held ? held.selected_option : item.initial_option;
  const made = choices(item, item.options, chosen ? [chosen.value] : [], false);
  const value = () => made.values()[0] ?? null;
  const whole = () => item.options.find((o) => o.value === value()) ?? null;
  return { ...made, value, read: () => ({ type: item.type, selected_option: whole() }) };
}

/** People, channels or conversations: options from the workspace itself. */
function entities(kind) {
  const singular = `selected_${kind.replace(/s$/, "")}`;
  return (item, surface, { held }) => {
    const many = item.type.startsWith("multi_");
    const { people, channels } = surface.reader;
    const all = kind === "users"
      ? [...people.values()].filter((p) => p.kind !== "deleted").map((p) => [p.id, p.name])
      : [...channels.values()].map((c) => [c.id, `#${c.name}`]);
    const options = all.map(([value, label]) => ({ value, text: { text: label } }));
    if (many) {
      const name = `selected_${kind}`;
      const made = choices(item, options, held?.[name] ?? item[`initial_${kind}`] ?? [], true);
      return { ...made, value: made.values, read: () => ({ type: item.type, [name]: made.values() }) };
    }
    const chosen = held ? held[singular] : item[`initial_${kind.replace(/s$/, "")}`];
    const node = h("select", { autocomplete: "off" },
      h("option", { value: "", selected: !chosen }, item.placeholder?.text ?? "Choose…"),
      options.map((o) => optionNode(o, chosen)));
    const value = () => node.value || null;
    return { node, value, read: () => ({ type: item.type, [singular]: value() }) };
  };
}

function unknown(item) {
  const node = h("span", { class: "quiet" }, `(${item.type} is not part of the sandbox)`);
  return { node, value: () => null, read: () => ({ type: item.type }) };
}

const FIELDS = {
  plain_text_input: typed("text"),
  number_input: typed("number"),
  email_text_input: typed("email"),
  url_text_input: typed("url"),
  rich_text_input: richInput,
  datepicker: picked("date", "selected_date", "initial_date"),
  timepicker: picked("time", "selected_time", "initial_time"),
  datetimepicker: dateTime,
  static_select: select,
  multi_static_select: boxes,
  checkboxes: boxes,
  radio_buttons: radios,
  external_select: combobox,
  multi_external_select: combobox,
  users_select: entities("users"),
  multi_users_select: entities("users"),
  channels_select: entities("channels"),
  multi_channels_select: entities("channels"),
  conversations_select: entities("conversations"),
  multi_conversations_select: entities("conversations"),
};
