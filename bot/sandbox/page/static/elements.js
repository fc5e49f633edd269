// Buttons and overflow menus: what is pressed and keeps no value.

import { ask } from "./confirm.js";
import { h, newId } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { present } from "./kept.js";
import { leadsOut } from "./mrkdwn.js";

export function element(item, block, surface) {
  if (item.type === "overflow") return overflow(item, block, surface);
  if (item.type === "button" || item.type === "workflow_button") return button(item, block, surface);
  return h("span", { class: "quiet" }, `(${item.type})`);
}

const SEEN = 350; // milliseconds a press stays visible, however fast the bot is

/** Presses once: the control rests until the bot has answered. It stays focused, so it is never `disabled`. */
async function press(control, item, block, surface, more, label) {
  if (control.getAttribute("aria-disabled")) return;
  if (item.confirm && !(await ask(item.confirm, surface.reader))) return;
  control.setAttribute("aria-busy", "true");
  control.setAttribute("aria-disabled", "true");
  const shown = new Promise((resolve) => setTimeout(resolve, SEEN));
  try {
    await surface.press({ action_id: item.action_id, block_id: block.block_id, ...more }, label);
    await shown;
  } finally {
    control.removeAttribute("aria-busy");
    control.removeAttribute("aria-disabled");
  }
}

/** Opens what a button leads to in a tab of its own, as whoever pressed it. */
function visit(url, reader) {
  if (!url || !leadsOut(url)) return;
  present(reader.me);
  window.open(url, "_blank", "noopener,noreferrer");
}

function button(item, block, surface) {
  const node = h("button", {
    type: "button",
    class: item.style ?? null,
    "data-key": item.action_id,
    "aria-label": item.accessibility_label ?? null,
    onclick: () => {
      visit(item.url, surface.reader);
      press(node, item, block, surface, {}, item.text.text);
    },
  }, withEmoji(item.text.text));
  return node;
}

function overflow(item, block, surface) {
  const id = newId("menu");
  const menu = h("ul", { role: "menu", id, hidden: true }, item.options.map((option) =>
    h("li", { role: "none" }, h("button", {
      type: "button",
      role: "menuitem",
      tabindex: "-1",
      onclick: () => {
        close(true);
        visit(option.url, surface.reader);
        press(opener, item, block, surface, { option: option.value }, option.text.text);
      },
    }, withEmoji(option.text.text)))));
  const entries = () => [...menu.querySelectorAll("[role=menuitem]")];

  function close(refocus) {
    menu.hidden = true;
    opener.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside);
    if (refocus) opener.focus();
  }
  function outside(event) {
    if (!box.contains(event.target)) close(false);
  }
  function open() {
    menu.hidden = false;
    menu.classList.remove("up", "from-left");
    const { bottom, left } = menu.getBoundingClientRect();
    menu.classList.toggle("up", bottom > window.innerHeight - 60);
    menu.classList.toggle("from-left", left < 8);
    opener.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", outside);
    entries()[0].focus();
  }
  function keys(event) {
    const all = entries();
    const at = all.indexOf(document.activeElement);
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 };
    if (event.key === "Escape") close(true);
    else if (event.key === "Tab") close(false);
    else if (event.key in moves) all[moves[event.key] % all.length].focus();
    else return;
    if (event.key !== "Tab") event.preventDefault();
    event.stopPropagation();
  }

  const opener = h("button", {
    type: "button",
    class: "more",
    "data-key": item.action_id,
    "aria-haspopup": "menu",
    "aria-expanded": "false",
    "aria-controls": id,
    "aria-label": "More actions",
    onclick: () => (menu.hidden ? open() : close(true)),
  }, "⋯");
  const box = h("span", { class: "overflow" }, opener, menu);
  menu.addEventListener("keydown", keys);
  return box;
}
