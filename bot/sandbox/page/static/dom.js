// Making elements without HTML strings: whatever comes from outside can only ever become text.

export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked" || name === "selected") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

let counter = 0;

/** A new id for label and description references. */
export function newId(prefix) {
  counter += 1;
  return `${prefix}-${counter}`;
}

/** Two letters and a colour that stay the same for the same name. */
export function avatar(name, isBot) {
  if (isBot) return h("img", { src: "/static/icon.svg", alt: "", class: "avatar" });
  const letters = name.split(/\s+/).map((word) => word[0] ?? "").join("").slice(0, 2);
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 360;
  const node = h("span", { class: "avatar", "aria-hidden": "true" }, letters);
  node.style.setProperty("--hue", String(sum));
  return node;
}

/** Says something to whoever listens instead of looking. */
export function say(text) {
  const announcer = document.getElementById("announcer");
  announcer.replaceChildren(h("p", {}, text));
}

export function toast(text) {
  const note = h("p", { class: "toast" }, text);
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), 8000);
}
