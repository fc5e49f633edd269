// Slack's date tokens, in the reader's own time zone.

const LONG = { year: "numeric", month: "long", day: "numeric" };
const FORMS = {
  date: LONG,
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date_long: { ...LONG, weekday: "long" },
};

function day(date, timeZone) {
  return new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short" }).format(date);
}

function near(date, timeZone) {
  const names = { "-1": "yesterday", 0: "today", 1: "tomorrow" };
  const days = (Date.parse(day(date, timeZone)) - Date.parse(day(new Date(), timeZone))) / 86_400_000;
  return names[days] ?? null;
}

export function clockTime(date, timeZone, seconds = false) {
  const form = { timeZone, hour: "numeric", minute: "2-digit", ...(seconds && { second: "2-digit" }) };
  return new Intl.DateTimeFormat(undefined, form).format(date);
}

export function ago(date) {
  const minutes = Math.round((Date.now() - date) / 60_000);
  if (minutes === 0) return "just now";
  const form = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  if (Math.abs(minutes) < 60) return form.format(-minutes, "minute");
  if (Math.abs(minutes) < 36 * 60) return form.format(-Math.round(minutes / 60), "hour");
  return form.format(-Math.round(minutes / 1440), "day");
}

/** `format` with its {tokens} filled in; tokens Slack does not know stay as they are. */
export function dateText(unix, format, timeZone) {
  const date = new Date(unix * 1000);
  return format.replace(/\{(\w+)\}/g, (whole, token) => {
    if (token === "time") return clockTime(date, timeZone);
    if (token === "time_secs") return clockTime(date, timeZone, true);
    if (token === "date_num") return day(date, timeZone);
    if (token === "ago") return ago(date);
    const plain = token.replace(/_pretty$/, "");
    if (!FORMS[plain]) return whole;
    const pretty = token.endsWith("_pretty") ? near(date, timeZone) : null;
    return pretty ?? new Intl.DateTimeFormat("en", { ...FORMS[plain], timeZone }).format(date);
  });
}

export function fullDate(unix, timeZone) {
  const form = { dateStyle: "full", timeStyle: "long", timeZone };
  return new Intl.DateTimeFormat("en", form).format(new Date(unix * 1000));
}

/** The day a message stands under: Today, Yesterday, or the date. */
export function dayName(unix, timeZone) {
  const date = new Date(unix * 1000);
  const name = near(date, timeZone);
  if (name) return name[0].toUpperCase() + name.slice(1);
  return new Intl.DateTimeFormat("en", { timeZone, weekday: "long", month: "long", day: "numeric" }).format(date);
}

/** `12 s`, `4 min`: until a moment; null when it is past. */
export function until(date) {
  const seconds = Math.round((date - Date.now()) / 1000);
  if (seconds < 0) return null;
  return seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
