// The external select: asks the bot for options as one types. With `multi_` the chosen ones gather as chips.

import { h, newId } from "./dom.js";
import { withEmoji } from "./emoji.js";

const PAUSE = 180; // milliseconds without a key before the bot is asked

export function combobox(item, surface, { block, held }) {
  const many = item.type.startsWith("multi_");
  const least = item.min_query_length ?? 3;
  let chosen = many ? [...(held?.selected_options ?? item.initial_options ?? [])]
    : [held ? held.selected_option : item.initial_option].filter(Boolean);
  let offered = [];
  let active = -1;
  let asked = 0;
  let waiting = 0;

  const listId = newId("options");
  const list = h("ul", { role: "listbox", id: listId, hidden: true });
  const input = h("input", {
    role: "combobox", "aria-expanded": "false", "aria-controls": listId, "aria-autocomplete": "list",
    autocomplete: "off", spellcheck: "false",
    placeholder: item.placeholder ? withEmoji(item.placeholder.text) : "Type to search…",
    value: !many && chosen[0] ? chosen[0].text.text : "",
  });
  const chips = h("span", { class: "chips" });
  const node = h("div", { class: "combobox" }, many && chips, input, list);

  function close() {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function choose(option) {
    clearTimeout(waiting);
    chosen = many ? [...chosen.filter((o) => o.value !== option.value), option] : [option];
    input.value = many ? "" : option.text.text;
    close();
    drawChips();
    changed();
  }

  function changed() {
    node.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function drawChips() {
    chips.replaceChildren(...chosen.map((option) => h("button", {
      type: "button", class: "chip", "aria-label": `Remove ${option.text.text}`,
      onclick: () => {
        chosen = chosen.filter((o) => o !== option);
        drawChips();
        changed();
      },
    }, `${option.text.text} ×`)));
  }

  function draw(note) {
    let index = -1;
    const row = (option) => {
      index += 1;
      const at = index;
      return h("li", {
        role: "option", id: `${listId}-${at}`, "aria-selected": String(at === active),
        onpointerdown: (event) => {
          event.preventDefault();
          choose(option);
        },
      }, withEmoji(option.text.text),
      option.description && h("small", { class: "quiet" }, withEmoji(option.description.text)));
    };
    const rows = offered.map((entry) => entry.options
      ? [h("li", { role: "presentation", class: "group quiet" }, entry.label.text), entry.options.map(row)]
      : row(entry)).flat();
    list.replaceChildren(...(rows.length ? rows.flat() : [h("li", { class: "quiet" }, note)]));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
  }

  const flat = () => offered.flatMap((entry) => entry.options ?? [entry]);

  async function search() {
    const typed = input.value.trim();
    if (!input.isConnected) return;
    if (typed.length < least) {
      close();
      return;
    }
    asked += 1;
    const mine = asked;
    const answer = await surface.options({
      action_id: item.action_id, block_id: block.block_id, value: typed,
    });
    if (mine !== asked || document.activeElement !== input) return;
    const body = answer?.failure ? null : answer?.body;
    offered = body?.options ?? body?.option_groups ?? [];
    active = flat().length ? 0 : -1;
    draw(body ? "Nothing found" : "Could not load the options");
    mark();
  }

  function mark() {
    const rows = [...list.querySelectorAll("[role=option]")];
    rows.forEach((row, index) => row.setAttribute("aria-selected", String(index === active)));
    if (rows[active]) {
      input.setAttribute("aria-activedescendant", rows[active].id);
      rows[active].scrollIntoView({ block: "nearest" });
    }
  }

  input.addEventListener("input", (event) => {
    event.stopPropagation();
    if (!many) chosen = [];
    clearTimeout(waiting);
    waiting = setTimeout(search, PAUSE);
  });
  input.addEventListener("change", (event) => event.stopPropagation());
  input.addEventListener("click", () => {
    if (least === 0 && !chosen.length) search();
  });
  input.addEventListener("blur", () => {
    close();
    if (!many && !chosen.length) input.value = "";
  });
  input.addEventListener("keydown", (event) => {
    const count = flat().length;
    if (event.key === "ArrowDown" && list.hidden) search();
    else if (event.key === "ArrowDown" && count) active = (active + 1) % count;
    else if (event.key === "ArrowUp" && count) active = (active - 1 + count) % count;
    else if (event.key === "Enter" && !list.hidden && active >= 0) choose(flat()[active]);
    else if (event.key === "Escape" && !list.hidden) close();
    else return;
    event.preventDefault();
    event.stopPropagation();
    mark();
  });

  drawChips();
  const value = () => (many ? chosen : chosen[0] ?? null);
  const read = () => ({ type: item.type, [many ? "selected_options" : "selected_option"]: value() });
  return { node, control: input, value, read };
}
