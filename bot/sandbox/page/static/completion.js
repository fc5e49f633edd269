// What could be typed next: the bot's verbs, their arguments, and the live names of people, services, incidents.

const MOST = 8;
const BRACKETS = /[[\]<>…]/g;
const NAMES = new Set(["service", "team", "policy", "schedule", "person", "anything"]);
const WORDS = new Set(["mine", "triggered", "acknowledged", "all", "high", "low"]);

/**
 * Suggestions for the end of `typed`: [{from, insert, label, note}], best first; `from` is where `insert` begins.
 * `known` = {handle, verbs, services, names, people, channels, incidents, priorities}.
 */
export function suggestions(typed, known, { inThread = false } = {}) {
  const word = typed.match(/(?:^|\s)([@#][^\s@#]*)$/)?.[1];
  if (word) return tagged(word, typed, known);
  const mention = `@${known.handle} `;
  if (typed.startsWith("/") && !inThread) {
    if (!typed.includes(" ")) return startsWith(typed, 0, [{ insert: "/pager ", label: "/pager", note: "Pagerline" }]);
    return typed.startsWith("/pager ") ? commands(typed, "/pager ".length, known) : [];
  }
  return typed.toLowerCase().startsWith(mention) ? commands(typed, mention.length, known) : [];
}

function startsWith(typed, from, options) {
  return options.filter((o) => o.label.startsWith(typed.slice(from)) && o.label !== typed.slice(from))
    .map((o) => ({ from, ...o }));
}

function tagged(word, typed, known) {
  const from = typed.length - word.length;
  const part = word.slice(1).toLowerCase();
  const all = word[0] === "@"
    ? known.people.map((p) => ({ insert: `@${p.handle} `, label: `@${p.handle}`, note: p.name }))
    : known.channels.map((c) => ({ insert: `#${c.name} `, label: `#${c.name}`, note: c.topic }));
  return all.filter((o) => `${o.label.slice(1)} ${o.note}`.toLowerCase().includes(part)).slice(0, MOST)
    .map((o) => ({ from, ...o }));
}

function commands(typed, start, known) {
  const rest = typed.slice(start);
  const space = rest.indexOf(" ");
  if (space < 0) {
    return known.verbs.filter((v) => v.verb.startsWith(rest.toLowerCase()) && v.verb !== rest)
      .map((v) => ({ from: start, insert: `${v.verb} `, label: v.usage, note: v.summary }));
  }
  const verb = known.verbs.find((v) => v.verb === rest.slice(0, space).toLowerCase());
  return verb ? values(verb, typed, start + space + 1, known) : [];
}

/** Values for the argument that is being typed: matched with everything after the verb, or with the last word. */
function values(verb, typed, start, known) {
  const all = typed.slice(start).replace(/^"/, "");
  const last = typed.slice(typed.lastIndexOf(" ") + 1);
  const given = typed.slice(start).split(" ").slice(0, -1).filter(Boolean);
  const found = [];
  for (const option of offered(verb, known)) {
    const label = option.label.toLowerCase();
    const value = option.insert.trim();
    if (given.includes(value) || value === last) continue;
    if (all && label.startsWith(all.toLowerCase())) found.push([0, { from: start, ...option }]);
    else if (!option.isName || given.length === 0) {
      const at = `${label} ${option.note ?? ""}`.toLowerCase().indexOf(last.toLowerCase());
      if (at >= 0) found.push([at === 0 ? 1 : 2, { from: typed.length - last.length, ...option }]);
    }
  }
  return found.sort((a, b) => a[0] - b[0]).slice(0, MOST).map(([, option]) => option);
}

function offered(verb, known) {
  const [, ...usage] = verb.usage.split(" ");
  const more = usage.length > 1;
  const kinds = new Set(usage.flatMap((word) => word.replace(BRACKETS, "").split(/[|,]/)));
  const name = (label, note) => ({ insert: `${more && label.includes(" ") ? `"${label}"` : label} `, label, note, isName: true });
  const found = [];
  if (kinds.has("N")) {
    found.push(...known.incidents.map((i) => ({ insert: `${i.number} `, label: String(i.number), note: `${i.title} · ${i.status}` })));
  }
  if ([...kinds].some((kind) => NAMES.has(kind))) found.push(...known.services.map((s) => name(s, "service")));
  if (kinds.has("team") || kinds.has("anything")) found.push(...known.names.map((n) => name(n, "")));
  if (kinds.has("anything")) found.push(...known.people.filter((p) => p.pagerduty).map((p) => name(p.name, "person")));
  if (kinds.has("P1")) found.push(...known.priorities.map((p) => ({ insert: `${p} `, label: p, note: "priority" })));
  if (kinds.has("level")) found.push(...[1, 2, 3].map((n) => ({ insert: `${n} `, label: String(n), note: "level" })));
  if (kinds.has("command")) found.push(...known.verbs.map((v) => ({ insert: `${v.verb} `, label: v.verb, note: v.summary })));
  found.push(...[...kinds].filter((kind) => WORDS.has(kind)).map((word) => ({ insert: `${word} `, label: word, note: "" })));
  return found;
}
