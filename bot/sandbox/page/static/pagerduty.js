// PagerDuty's half: its incidents, a form that triggers one, and what a person can do there.

import { act } from "./api.js";
import { ago, until } from "./dates.js";
import { h } from "./dom.js";
import { element } from "./elements.js";

const STATES = { triggered: "Triggered", acknowledged: "Acknowledged", resolved: "Resolved" };
const MORE = 60; // incidents a further step shows
const PAUSE = 200; // milliseconds without a key before it looks

export class PagerDuty {
  /** `person()` is whoever looks: {name, pagerduty}; `again()` looks anew with `query()`. */
  constructor(person, again) {
    this.person = person;
    this.form = document.getElementById("trigger");
    this.list = document.getElementById("incidents");
    this.count = document.getElementById("pd-count");
    this.more = document.getElementById("pd-more");
    this.find = document.getElementById("pd-find");
    this.speed = document.getElementById("speed");
    this.most = MORE;
    this.drawn = new Map();
    this.form.onsubmit = (event) => this.trigger(event);
    this.speed.onchange = () => act("pagerduty", "speed", { speed: Number(this.speed.value) });
    this.more.onclick = () => {
      this.most += MORE;
      again();
    };
    let waiting = 0;
    this.find.addEventListener("input", () => {
      clearTimeout(waiting);
      this.most = MORE;
      waiting = setTimeout(again, PAUSE);
    });
    setInterval(() => this.tick(), 1000);
  }

  query() {
    return { find: this.find.value, most: this.most };
  }

  show({ services, incidents, open, total, found, speed }) {
    const select = this.form.elements.service;
    if (!select.options.length) select.append(...services.map((s) => h("option", { value: s.id }, s.name)));
    if (![...this.speed.options].some((o) => o.value === String(speed))) {
      this.speed.append(h("option", { value: String(speed) }, `${speed} × as fast`));
    }
    if (document.activeElement !== this.speed) this.speed.value = String(speed);
    this.count.textContent = open ? `${open} open` : total ? "All resolved" : "No incidents yet";
    this.more.hidden = found <= incidents.length;
    this.more.textContent = `Show more of ${found} incidents`;
    const wanted = new Set(incidents.map((i) => i.id));
    for (const [id, { node }] of this.drawn) {
      if (!wanted.has(id)) {
        node.remove();
        this.drawn.delete(id);
      }
    }
    incidents.forEach((incident, index) => {
      const print = JSON.stringify([incident, this.person().id]);
      const old = this.drawn.get(incident.id);
      const held = old?.node.contains(document.activeElement);
      if (old?.print !== print) {
        const node = this.draw(incident);
        old?.node.replaceWith(node);
        this.drawn.set(incident.id, { print, node });
      }
      const { node } = this.drawn.get(incident.id);
      if (this.list.children[index] !== node) this.list.insertBefore(node, this.list.children[index] ?? null);
      if (held && !node.contains(document.activeElement)) (node.querySelector("button") ?? node).focus({ preventScroll: true });
    });
    this.tick();
  }

  tick() {
    for (const node of this.list.querySelectorAll("[data-until]")) {
      const left = until(Date.parse(node.dataset.until));
      node.textContent = left ? ` · escalates in ${left}` : "";
    }
    for (const node of this.list.querySelectorAll("time.since")) node.textContent = ago(Date.parse(node.dateTime));
  }

  draw(incident) {
    const facts = [
      incident.service,
      incident.priority,
      `${incident.urgency} urgency`,
      incident.status !== "resolved" && incident.assigned.length && `level ${incident.level}: ${incident.assigned.join(", ")}`,
      incident.merged_into && "merged",
      incident.notes && `${incident.notes} ${incident.notes === 1 ? "note" : "notes"}`,
    ].filter(Boolean);
    return h("li", { class: `incident ${incident.status}`, tabindex: "-1" },
      h("p", { class: "state" },
        h("span", { class: "chip" }, STATES[incident.status]),
        h("time", { class: "quiet since", datetime: incident.created_at })),
      h("h3", {}, `#${incident.number} ${incident.title}`),
      h("p", { class: "quiet" }, facts.join(" · "),
        incident.status === "triggered" && incident.escalate_at && h("span", { "data-until": incident.escalate_at })),
      this.actions(incident));
  }

  actions(incident) {
    const person = this.person();
    if (!person.pagerduty) {
      return incident.status === "resolved" ? null : h("p", { class: "quiet" }, `${person.name} has no PagerDuty user.`);
    }
    const does = (verb, more = {}) => act("pagerduty", "act", { incident: incident.id, verb, by: person.pagerduty, ...more });
    const button = (verb, label) => h("button", {
      type: "button", class: "small", "aria-label": `${label} #${incident.number} in PagerDuty`, onclick: () => does(verb),
    }, label);
    const resolved = incident.status === "resolved";
    const entries = resolved ? [["Reopen", "reopen", { status: "triggered" }]] : [
      ["Add a note", "note", { text: "Looking into it." }],
      ["Priority P1", "priority", { value: "P1" }],
      incident.urgency === "high" ? ["Lower the urgency", "urgency", { value: "low" }] : ["Raise the urgency", "urgency", { value: "high" }],
      ["Snooze for 5 minutes", "snooze", { seconds: 300 }],
    ];
    return h("p", { class: "buttons" },
      incident.status === "triggered" && button("acknowledge", "Acknowledge"),
      !resolved && button("resolve", "Resolve"),
      !resolved && button("escalate", "Escalate"),
      this.menu(incident, entries, does));
  }

  menu(incident, entries, does) {
    const item = {
      type: "overflow", action_id: `pd-${incident.id}`,
      options: entries.map(([label], index) => ({ text: { text: label }, value: String(index) })),
    };
    const press = ({ option }) => {
      const [, verb, more] = entries[Number(option)];
      return does(verb, more);
    };
    const node = element(item, { block_id: "" }, { press });
    node.querySelector("button.more").setAttribute("aria-label", `More for #${incident.number} in PagerDuty`);
    return node;
  }

  async trigger(event) {
    event.preventDefault();
    const { service, title, urgency } = this.form.elements;
    const made = await act("pagerduty", "trigger", {
      service: service.value, title: title.value.trim(), urgency: urgency.value,
    });
    if (made) {
      title.value = "";
      title.focus();
    }
  }
}
