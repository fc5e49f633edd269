// The tour: five short steps, each done by doing it. Skipped or finished, it stays away until it is asked for.

import { act, look, onAct } from "./api.js";
import { h } from "./dom.js";
import { browser } from "./kept.js";

const CHECKOUT = { channel: "C0CHECK", service: "PSVCCHK", name: "Checkout" };
const TITLE = "Card payments fail";

const STEPS = [
  {
    said: ["An incident has just triggered in #checkout. Press ", "Acknowledge", " on its message."],
    done: ({ incident }) => incident.status !== "triggered",
  },
  {
    said: ["The message changed where it stands. Press ", "Reply in thread", " below it and write ", "@pagerline note Found it", "."],
    done: ({ incident }) => incident.notes > 0,
    help: ["Show the thread", ({ openThread }) => openThread()],
  },
  {
    said: ["PagerDuty has the note too. Press ", "Resolve", " there, beside the chat, and watch Slack follow."],
    done: ({ incident }) => incident.status === "resolved",
    pane: "pagerduty",
  },
  {
    said: ["Ask who is on call: send ", "/pager oncall checkout", ", then press ", "Share to channel", "."],
    done: ({ acts }) => acts.some((one) => one.note.startsWith("Share")),
    help: ["Write it for me", ({ put }) => put("/pager oncall checkout")],
  },
  {
    said: ["Now break something: open ", "Break things", " beside the chat, switch one on, and read what the bot does about it on top."],
    done: ({ acts }) => acts.some((one) => one.side === "trouble" && (one.verb === "storm" || one.body.on)),
    pane: "pagerduty",
  },
];

export class Guide {
  /** `page` = {put(text), go(channel), pane(name)}. */
  constructor(page) {
    this.page = page;
    this.box = document.getElementById("guide");
    this.kept = browser.get("tour", { step: 0, incident: null, over: false });
    this.acts = [];
    this.incident = null;
    onAct((one) => {
      this.acts.push(one);
      this.look().catch(console.warn);
    });
  }

  restart() {
    this.keep({ step: 0, incident: null, over: false });
    this.incident = null;
    this.look().catch(console.warn);
    this.page.go(CHECKOUT.channel);
  }

  keep(change) {
    this.kept = { ...this.kept, ...change };
    browser.set("tour", this.kept);
  }

  /** Looks whether the present step is done, and draws the one that is due. */
  async look() {
    if (this.kept.over || this.looking) return;
    this.looking = true;
    try {
      this.incident = await this.find();
      const before = this.kept.step;
      if (this.incident) {
        while (STEPS[this.kept.step]?.done({ incident: this.incident, acts: this.acts })) {
          this.keep({ step: this.kept.step + 1 });
          this.acts = [];
        }
      }
      this.draw(before !== this.kept.step);
    } finally {
      this.looking = false;
    }
  }

  /** The incident of the tour: the one it began with, or the newest that has triggered for #checkout. */
  async find() {
    const asked = this.kept.incident ? `#${this.kept.incident}` : CHECKOUT.name;
    const { incidents } = await look("pagerduty", { find: asked });
    const mine = incidents.find((i) => i.number === this.kept.incident)
      ?? incidents.find((i) => i.status === "triggered" && i.service === CHECKOUT.name) ?? null;
    if (mine && mine.number !== this.kept.incident) this.keep({ incident: mine.number, step: Math.min(this.kept.step, 0) });
    return mine;
  }

  draw(moved) {
    if (this.kept.over) return; // skipped while it looked
    this.box.hidden = false;
    const { step } = this.kept;
    const print = `${step} ${Boolean(this.incident)}`;
    if (print === this.print) return;
    this.print = print;
    const over = () => {
      this.keep({ over: true });
      this.print = null;
      this.box.hidden = true;
      document.getElementById("tour").focus();
    };
    const button = (label, onclick, kind = null) => h("button", { type: "button", class: kind, onclick }, label);
    let said;
    let more = [];
    if (step >= STEPS.length) {
      said = h("p", { class: "said" }, h("strong", {}, "That was the tour. "),
        "Everything is yours to try now. Become ", h("strong", {}, "Uma Ueda"), ", who is new, and press a button: see how one links. Inspector, on the left, shows every request, and copies what you did as a test.");
      more = [button("Done", over, "primary")];
    } else if (!this.incident) {
      said = h("p", { class: "said" }, "A minute's tour, in five steps. It begins with an incident in #checkout.");
      more = [button("Trigger it", () => this.trigger(), "primary"), button("Skip the tour", over, "plain")];
    } else {
      const words = STEPS[step].said.map((part, index) => (index % 2 ? h("strong", {}, part) : part));
      said = h("p", { class: "said" }, h("span", { class: "count" }, `${step + 1} of ${STEPS.length}`), " ", words);
      const { help, pane } = STEPS[step];
      if (help) more.push(button(help[0], () => help[1](this.tools())));
      else if (pane) more.push(h("button", { type: "button", class: "narrow-only", onclick: () => this.page.pane(pane) }, "Show me"));
      more.push(button("Skip the tour", over, "plain"));
    }
    this.box.replaceChildren(h("div", { role: "status" }, said), h("p", { class: "buttons" }, more));
    this.box.classList.toggle("moved", moved);
  }

  tools() {
    return {
      put: this.page.put,
      openThread: () => {
        this.page.go(CHECKOUT.channel);
        const message = [...document.querySelectorAll("#messages li.message:not(.ephemeral)")]
          .find((node) => node.textContent.includes(`#${this.incident.number} `));
        message?.querySelector('[data-key="thread"]')?.click();
      },
    };
  }

  async trigger() {
    this.page.go(CHECKOUT.channel);
    await act("pagerduty", "trigger", { service: CHECKOUT.service, title: TITLE, urgency: "high" });
    await this.look();
  }
}
