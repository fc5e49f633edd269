// Where one writes: a slash command, a mention, or a plain message. Slack has no slash commands in threads.

import { slack } from "./api.js";
import { h, newId, say, toast } from "./dom.js";
import { tab } from "./kept.js";

const EXAMPLES = ["/pager help", "/pager list", "/pager oncall checkout", "/pager subscribe checkout"];

/** Fills `form`; `where()` gives {user, channel, thread_ts}; `complete(typed, options)` gives suggestions. */
export function composer(form, where, { inThread = false, complete = () => [] } = {}) {
  const listId = newId("suggestions");
  const list = h("ul", { role: "listbox", id: listId, "aria-label": "Suggestions", class: "suggestions", hidden: true });
  const input = h("textarea", {
    rows: 1, required: true, "aria-label": inThread ? "Reply" : "Message", autocomplete: "off", spellcheck: "false",
    "aria-autocomplete": "list", "aria-controls": listId,
  });
  const examples = inThread ? null : h("p", { class: "examples", role: "group", "aria-label": "Examples" }, EXAMPLES.map((text) =>
    h("button", { type: "button", class: "plain small", onclick: () => put(text) }, text)));
  form.replaceChildren(list, h("div", { class: "line" }, input, h("button", { class: "primary" }, "Send")), examples ?? "");

  let offered = [];
  let active = -1;
  let place = null;

  function grow() {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight + 2, 160)}px`;
  }

  function put(text) {
    input.value = text;
    input.focus();
    changed();
  }

  function changed() {
    grow();
    tab.set(`draft.${place}`, input.value || null);
    const typed = input.selectionEnd === input.value.length ? input.value : "";
    const before = offered.length;
    offered = typed ? complete(typed, { inThread }) : [];
    active = -1;
    draw();
    if (offered.length && !before) say(`${offered.length} suggestions: down arrow chooses, Tab takes the first`);
  }

  function draw() {
    list.hidden = offered.length === 0;
    list.replaceChildren(...offered.map((option, index) => h("li", {
      role: "option", id: `${listId}-${index}`, "aria-selected": String(index === active),
      onpointerdown: (event) => {
        event.preventDefault();
        take(index);
      },
    }, h("span", { class: "what" }, option.label), option.note && h("span", { class: "quiet" }, option.note))));
    if (active < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", `${listId}-${active}`);
      list.children[active].scrollIntoView({ block: "nearest" });
    }
  }

  function take(index) {
    const { from, insert } = offered[index];
    put(input.value.slice(0, from) + insert);
  }

  function close() {
    offered = [];
    draw();
  }

  async function send() {
    const text = input.value.trim();
    if (!text) return;
    const { user, channel, thread_ts } = where();
    if (text.startsWith("/") && inThread) {
      toast("Slack has no slash commands in threads. Mention the bot instead: @pagerline ack");
      return;
    }
    input.value = "";
    changed();
    if (text.startsWith("/")) {
      const [, command, rest] = text.match(/^(\S+)\s*([\s\S]*)$/);
      await slack("command", { user, channel, command, text: rest });
    } else {
      await slack("message", { user, channel, text, ...(thread_ts && { thread_ts }) });
    }
  }

  form.onsubmit = (event) => {
    event.preventDefault();
    send();
  };
  input.addEventListener("input", changed);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const count = offered.length;
    if (event.key === "ArrowDown" && count) active = (active + 1) % count;
    else if (event.key === "ArrowUp" && count) active = (active <= 0 ? count : active) - 1;
    else if (event.key === "Escape" && count) close();
    else if (event.key === "Tab" && count && !event.shiftKey) take(Math.max(active, 0));
    else if (event.key === "Enter" && active >= 0) take(active);
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send();
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key.startsWith("Arrow")) draw();
  });
  return {
    /** One writes somewhere else now: `key` tells drafts apart. */
    at(name, key) {
      input.placeholder = inThread ? "Reply, or @pagerline ack" : `Message ${name}, or /pager …`;
      if (key === place) return;
      place = key;
      input.value = tab.get(`draft.${key}`, "");
      close();
      grow();
    },
    put,
  };
}
