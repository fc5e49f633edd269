// What is behind the page: every request both ways, the database's idea of each message, and the session as a test.

import { look } from "./api.js";
import { h, newId, toast } from "./dom.js";
import { tab } from "./kept.js";

const AGAIN = 1000; // milliseconds between looks while it is open

export class Inspector {
  /** `channel()` is the channel one looks at. */
  constructor(channel) {
    this.channel = channel;
    this.box = document.getElementById("inspector");
    this.opener = document.getElementById("look-inside");
    this.views = { wire: ["HTTP", () => this.wire()], rows: ["Database", () => this.rows()], story: ["Test story", () => this.story()] };
    this.prints = {};
    this.draw();
    if (tab.get("inspector")) this.open();
  }

  toggle() {
    if (this.box.hidden) {
      this.open();
      this.tabs[this.shown].focus();
    } else this.close();
  }

  open() {
    this.box.hidden = false;
    this.opener.setAttribute("aria-expanded", "true");
    tab.set("inspector", true);
    this.show(this.shown);
  }

  close() {
    this.box.hidden = true;
    this.opener.setAttribute("aria-expanded", "false");
    this.opener.focus();
    tab.set("inspector", false);
    clearTimeout(this.timer);
  }

  draw() {
    this.shown = "wire";
    this.tabs = {};
    this.panels = {};
    const names = Object.keys(this.views);
    for (const name of names) {
      const [id, panel] = [newId("tab"), newId("panel")];
      this.tabs[name] = h("button", { type: "button", role: "tab", id, "aria-controls": panel, onclick: () => this.show(name) }, this.views[name][0]);
      this.panels[name] = h("div", { role: "tabpanel", id: panel, "aria-labelledby": id, class: `panel ${name}`, hidden: true });
    }
    const list = h("div", { role: "tablist", "aria-label": "Inspector" }, Object.values(this.tabs));
    list.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      this.show(names[(names.indexOf(this.shown) + step + names.length) % names.length]);
      this.tabs[this.shown].focus();
    });
    this.find = h("input", { type: "search", placeholder: "Filter: chat.update, PUT, 429 …", "aria-label": "Filter requests", autocomplete: "off" });
    this.find.addEventListener("input", () => this.look());
    this.lines = h("ol", { class: "lines", "aria-label": "Requests, newest first", tabindex: "0" });
    this.whole = h("div", { class: "whole", role: "region", "aria-label": "The request and its answer", tabindex: "0" },
      h("p", { class: "quiet" }, "Choose a request to see all of it, both ways. Tokens and secrets are masked."));
    this.panels.wire.append(h("div", { class: "left" }, this.find, this.lines), this.whole);
    this.box.append(
      h("header", {}, h("h2", {}, "Inspector"), list,
        h("button", { type: "button", class: "plain x", "aria-label": "Close inspector", onclick: () => this.close() }, "✕")),
      ...Object.values(this.panels));
  }

  show(name) {
    this.shown = name;
    for (const [each, node] of Object.entries(this.tabs)) {
      node.setAttribute("aria-selected", String(each === name));
      node.tabIndex = each === name ? 0 : -1;
      this.panels[each].hidden = each !== name;
    }
    this.look();
  }

  async look() {
    clearTimeout(this.timer);
    if (this.box.hidden) return;
    try {
      await this.views[this.shown][1]();
    } catch (problem) {
      console.warn(problem);
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), AGAIN);
  }

  changed(name, value) {
    const print = JSON.stringify(value);
    if (this.prints[name] === print) return false;
    this.prints[name] = print;
    return true;
  }

  async wire() {
    const { exchanges } = await look("wire", { find: this.find.value });
    if (!this.changed("wire", exchanges)) return;
    const held = document.activeElement?.dataset?.exchange;
    this.lines.replaceChildren(...exchanges.map((one) => h("li", {}, h("button", {
      type: "button", "data-exchange": one.id, "aria-pressed": String(one.id === this.chosen), onclick: () => this.choose(one.id),
    },
    h("time", { class: "quiet" }, new Date(one.at).toLocaleTimeString()),
    h("span", { class: "way" }, one.from_bot ? `bot → ${one.side}` : `${one.side} → bot`),
    h("span", { class: "what" }, one.what),
    h("span", { class: one.ok ? "quiet" : "problem" }, `${one.status} · ${one.milliseconds} ms`)))));
    if (held) this.lines.querySelector(`[data-exchange="${held}"]`)?.focus({ preventScroll: true });
  }

  async choose(id) {
    this.chosen = id;
    for (const node of this.lines.querySelectorAll("button")) node.setAttribute("aria-pressed", String(node.dataset.exchange === id));
    try {
      const { request, response } = await look(`wire/${id}`);
      this.whole.replaceChildren(h("h3", {}, "Request"), h("pre", {}, request), h("h3", {}, "Answer"), h("pre", {}, response));
      this.whole.scrollTop = 0;
    } catch (problem) {
      toast(problem.message);
    }
  }

  async rows() {
    const channel = this.channel();
    const { known, rows } = await look(`rows/${channel}`);
    if (!this.changed("rows", [channel, known, rows])) return;
    const columns = [...new Set(rows.flatMap(Object.keys))];
    const said = !known ? "This sandbox has not been lent the bot's database."
      : rows.length ? "What the bot's database holds on each message of this channel, newest first."
        : "The bot's database holds nothing on this channel.";
    const table = h("table", {},
      h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, columns.map((name) => h("td", {}, shown(row[name])))))));
    this.panels.rows.replaceChildren(h("p", { class: "quiet" }, said),
      ...(rows.length ? [h("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Rows" }, table)] : []));
  }

  async story() {
    const { text } = await look("story");
    if (!this.changed("story", text)) return;
    const code = h("pre", { tabindex: "0", role: "region", "aria-label": "The session as a test" }, text);
    this.panels.story.replaceChildren(
      h("p", {}, h("span", { class: "quiet" }, "What you did so far, as a test. Paste it into a file test_….py in tests/stories. "),
        h("button", { type: "button", class: "primary", onclick: () => copy(text, code) }, "Copy as test story")),
      code);
  }
}

function shown(value) {
  if (value === null || value === undefined) return "–";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

async function copy(text, node) {
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied.");
  } catch {
    getSelection().selectAllChildren(node);
    toast("Press Ctrl-C: the browser lets no page copy by itself here.");
  }
}
