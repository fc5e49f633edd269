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
  select.replaceChildren(...people.map((p) =>
    h("option", { value: p.id, selected: p.id === workspace.me }, describe(p))));
  select.onchange = () => onChange(select.value);
}

/** `seen` maps a channel to the newest message its reader has seen; `onGo` runs when any entry is chosen. */
export function channelList(workspace, current, seen, onGo) {
  const entry = (href, label, { unread = false, note = null } = {}) => h("li", {},
    h("a", { href: `#${href}`, "aria-current": href === current ? "page" : null, class: unread ? "unread" : null, onclick: onGo },
      label, note && h("span", { class: "quiet" }, ` ${note}`)));
  const channels = workspace.channels.map((c) => entry(c.id, `${c.private ? "🔒" : "#"} ${c.name}`, {
    unread: c.id !== current && c.newest !== null && c.newest > (seen.get(c.id) ?? ""),
    note: c.archived ? "archived" : null,
  }));
  document.getElementById("channels").replaceChildren(...channels);
  document.getElementById("app-links").replaceChildren(
    entry(workspace.direct, `${workspace.bot.name}: messages`),
    entry("home", `${workspace.bot.name}: home`));
}
