// PagerDuty's half: its incidents, a form that triggers one, and what a person can do there.

import { act } from "./api.js";
import { ago } from "./dates.js";
import { h } from "./dom.js";

const STATES = { triggered: "Triggered", acknowledged: "Acknowledged", resolved: "Resolved" };

export class PagerDuty {
  /** `person()` is whoever looks: {name, pagerduty}. */
  constructor(person) {
    this.person = person;
    this.form = document.getElementById("trigger");
    this.list = document.getElementById("incidents");
    this.count = document.getElementById("pd-count");
    this.drawn = new Map();
    this.form.onsubmit = (event) => this.trigger(event);
  }

  show({ services, incidents, open, total }) {
    const select = this.form.elements.service;
    if (!select.options.length) select.append(...services.map((s) => h("option", { value: s.id }, s.name)));
    this.count.textContent = open ? `${open} open` : total ? "All resolved" : "No incidents yet";
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
      if (old?.print !== print) {
        old?.node.remove();
        this.drawn.set(incident.id, { print, node: this.draw(incident) });
      }
      const { node } = this.drawn.get(incident.id);
      if (this.list.children[index] !== node) this.list.insertBefore(node, this.list.children[index] ?? null);
    });
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
    return h("li", { class: `incident ${incident.status}` },
      h("p", { class: "state" },
        h("span", { class: "chip" }, STATES[incident.status]),
        h("time", { class: "quiet", datetime: incident.created_at }, ago(Date.parse(incident.created_at)))),
      h("h3", {}, `#${incident.number} ${incident.title}`),
      h("p", { class: "quiet" }, facts.join(" · ")),
      this.actions(incident));
  }

  actions(incident) {
    if (incident.status === "resolved") return null;
    const person = this.person();
    if (!person.pagerduty) return h("p", { class: "quiet" }, `${person.name} has no PagerDuty user.`);
    const button = (verb, label) => h("button", {
      type: "button", class: "small", "aria-label": `${label} #${incident.number} in PagerDuty`,
      onclick: () => act("pagerduty", "act", { incident: incident.id, verb, by: person.pagerduty }),
    }, label);
    return h("p", { class: "buttons" },
      incident.status === "triggered" && button("acknowledge", "Acknowledge"),
      button("resolve", "Resolve"),
      button("escalate", "Escalate"));
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
