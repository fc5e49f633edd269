// Who one is, and where one can go.

import { h } from "./dom.js";

const KINDS = { guest: "guest", stranger: "from another company", admin: "admin" };

export function describe(person) {
  const notes = [KINDS[person.kind], person.pagerduty ? null : "no PagerDuty user"].filter(Boolean);
  return notes.length ? `${person.name} (${notes.join(", ")})` : person.name;
}

export function whoAmI(workspace, onChange) {
  const select = document.getElementById("who");
  const people = workspace.people.filter((p) => !["bot", "deleted"].includes(p.kind));
  select.onchange = () => onChange(select.value);
  if (select.options.length === people.length && select.value === workspace.me) return;
  select.replaceChildren(...people.map((p) =>
    h("option", { value: p.id, selected: p.id === workspace.me }, describe(p))));
}

/** `seen(channel)` is the newest ts its reader has seen there; `onGo` runs when any entry is chosen. */
export function channelList(workspace, current, seen, onGo) {
  const entry = (href, label, channel = {}) => {
    const mark = href === current ? "" : seen(href);
    const unread = href !== current && Boolean(channel.newest) && channel.newest > mark;
    const calls = unread ? channel.mentions.filter((ts) => ts > mark).length : 0;
    return h("li", {},
      h("a", { href: `#${href}`, "aria-current": href === current ? "page" : null,
        class: unread ? "unread" : null, onclick: onGo, "aria-label": unread ? `${label}, unread${calls ? `, ${calls} for you` : ""}` : null },
        h("span", { class: "name" }, label),
        channel.archived && h("span", { class: "quiet" }, " archived"),
        calls > 0 && h("span", { class: "calls", "aria-hidden": "true" }, String(calls))));
  };
  put("channels", workspace.channels.map((c) => entry(c.id, `${c.private ? "🔒" : "#"} ${c.name}`, c)));
  put("app-links", [
    entry(workspace.direct.id, `${workspace.bot.name}: messages`, workspace.direct),
    entry("home", `${workspace.bot.name}: home`),
  ]);
}

/** Draws the entries again; whoever was on one stays on it. */
function put(id, entries) {
  const list = document.getElementById(id);
  const held = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  list.replaceChildren(...entries);
  if (held) [...list.querySelectorAll("a")].find((a) => a.getAttribute("href") === held)?.focus({ preventScroll: true });
}
