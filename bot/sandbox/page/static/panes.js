// Moving about: one pane at a time on a phone, F6 from region to region, the theme, the skip link.

import { browser } from "./kept.js";

const REGIONS = ["nav", "conversation", "thread", "pagerduty", "inspector"];
const FIRST = { conversation: "#composer textarea", thread: "textarea" };

export function pane(name) {
  document.body.dataset.pane = name;
  for (const button of document.querySelectorAll(".panes button")) {
    button.setAttribute("aria-pressed", String(button.dataset.pane === name));
  }
}

export function movingAbout() {
  for (const button of document.querySelectorAll(".panes button")) {
    button.addEventListener("click", () => pane(button.dataset.pane));
  }
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.querySelector("#composer textarea").focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "F6") return;
    event.preventDefault();
    nextRegion(event.shiftKey ? -1 : 1);
  });
  const theme = document.getElementById("theme");
  theme.value = browser.get("theme", "");
  theme.onchange = () => {
    browser.set("theme", theme.value);
    colour(theme.value);
  };
  colour(theme.value);
  pane("chat");
}

function nextRegion(step) {
  const shown = REGIONS.map((id) => document.getElementById(id)).filter((node) => node.checkVisibility());
  const at = shown.findIndex((node) => node.contains(document.activeElement));
  const to = shown[(at + step + shown.length) % shown.length];
  (to.querySelector(FIRST[to.id] ?? "a, button, select, input, summary") ?? to).focus();
}

function colour(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}
