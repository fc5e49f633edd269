// The modal on top of a person's stack. What was typed survives an update as long as a field keeps its ids.

import { slack } from "./api.js";
import { blocks } from "./blocks.js";
import { h } from "./dom.js";
import { withEmoji } from "./emoji.js";

export class Modal {
  constructor(dialog, readerOf) {
    this.dialog = dialog;
    this.readerOf = readerOf;
    this.view = null;
    this.print = null;
    this.fields = [];
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.close();
    });
  }

  /** What stands in every field now: block_id → action_id → state, in Slack's shape. */
  values() {
    const state = {};
    for (const { block, action, read } of this.fields) (state[block] ??= {})[action] = read();
    return state;
  }

  show(view) {
    const print = view && JSON.stringify([view.hash, view.id, view.errors, view.notice]);
    if (print === this.print) return;
    this.print = print;
    if (!view) {
      this.view = null;
      this.fields = [];
      if (this.dialog.open) this.dialog.close();
      return;
    }
    const typed = this.view?.id === view.id ? this.values() : {};
    const focused = this.view?.id === view.id ? document.activeElement?.name : null;
    this.view = view;
    this.dialog.replaceChildren(this.form(view, merged(view.state.values, typed)));
    if (!this.dialog.open) this.dialog.showModal();
    const again = focused && this.dialog.querySelector(`[name="${CSS.escape(focused)}"]`);
    (again || this.dialog.querySelector("[aria-invalid]") || this.first())?.focus();
  }

  first() {
    return this.dialog.querySelector("main input, main textarea, main select, footer .primary");
  }

  form(view, state) {
    const reader = this.readerOf();
    this.fields = [];
    const where = { user: reader.me, view: view.id };
    const surface = {
      reader,
      state,
      fields: this.fields,
      errors: view.errors,
      press: (what, label) => slack("action", { ...where, ...what, values: this.values() }, label),
      options: (what) => slack("options", { ...where, ...what }),
    };
    const body = blocks(view.blocks, surface);
    body.forEach((node, index) => {
      for (const input of node.querySelectorAll("input, textarea, select")) {
        input.name ||= view.blocks[index].block_id;
      }
    });
    return h("form", { novalidate: true, onsubmit: (event) => this.submit(event) },
      h("header", {},
        h("h2", { id: "modal-title" }, withEmoji(view.title.text)),
        h("button", { type: "button", class: "plain x", "aria-label": "Close", onclick: () => this.close(true) }, "✕")),
      h("main", {}, view.notice && h("p", { class: "problem", role: "alert" }, view.notice), body),
      h("footer", {},
        h("button", { type: "button", onclick: () => this.close() }, view.close?.text ?? (view.previous_view_id ? "Back" : "Cancel")),
        view.submit && h("button", { class: "primary" }, withEmoji(view.submit.text))));
  }

  async submit(event) {
    event.preventDefault();
    const button = this.dialog.querySelector("footer .primary");
    if (!button || button.disabled) return;
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    try {
      await slack("submit", { user: this.readerOf().me, view: this.view.id, values: this.values() });
    } finally {
      button.disabled = false;
      button.removeAttribute("aria-busy");
    }
  }

  close(every = false) {
    if (this.view) slack("close", { user: this.readerOf().me, view: this.view.id, every });
  }
}

function merged(state, typed) {
  const result = structuredClone(state);
  for (const [block, actions] of Object.entries(typed)) {
    for (const [action, held] of Object.entries(actions)) {
      if (result[block]?.[action]?.type === held.type) result[block][action] = held;
    }
  }
  return result;
}
