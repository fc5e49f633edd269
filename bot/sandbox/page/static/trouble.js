// Breaking things on purpose; the strip on top says in plain words what the bot is doing about it.

import { act, look } from "./api.js";
import { h } from "./dom.js";

const AGAIN = 1000; // milliseconds between looks while something is wrong

export class Trouble {
  constructor() {
    this.strip = document.getElementById("strip");
    this.box = document.getElementById("break");
    this.switches = new Map();
    this.timer = 0;
  }

  async look() {
    this.show(await look("trouble"));
  }

  show({ switches, tone, said }) {
    if (!this.switches.size) this.draw(switches);
    for (const { name, on } of switches) this.switches.get(name).setAttribute("aria-checked", String(on));
    if (this.strip.textContent !== said) this.strip.textContent = said;
    this.strip.className = `strip ${tone}`;
    if (tone === "trouble") document.getElementById("break-box").open = true;
    clearTimeout(this.timer);
    if (tone !== "well") this.timer = setTimeout(() => this.look().catch(console.warn), AGAIN);
  }

  draw(switches) {
    const rows = switches.map(({ name, label, hint }) => {
      const id = `break-${name}`;
      const node = h("button", {
        type: "button", role: "switch", class: "switch", "aria-checked": "false", "aria-describedby": id,
        onclick: async () => {
          const answer = await act("trouble", "switch", { name, on: node.getAttribute("aria-checked") !== "true" });
          if (answer) this.show(answer);
        },
      }, label);
      this.switches.set(name, node);
      return h("li", {}, node, h("p", { id, class: "quiet small" }, hint));
    });
    const count = h("input", { type: "number", min: 1, max: 1000, value: 20, "aria-label": "Incidents in the storm" });
    const storm = h("button", {
      type: "button",
      onclick: async () => {
        const answer = await act("trouble", "storm", { count: Number(count.value) });
        if (answer) this.show(answer);
      },
    }, "Storm");
    const mend = h("button", {
      type: "button",
      onclick: async () => {
        const answer = await act("trouble", "mend", {});
        if (answer) this.show(answer);
      },
    }, "Mend everything");
    this.box.replaceChildren(
      h("ul", { class: "switches" }, rows),
      h("p", { class: "buttons" }, h("span", { class: "storm" }, count, storm), mend));
  }
}
