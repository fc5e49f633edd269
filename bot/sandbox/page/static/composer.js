// Where one writes: a slash command, a mention, or a plain message. Slack has no slash commands in threads.

import { slack } from "./api.js";
import { h, toast } from "./dom.js";

const EXAMPLES = ["/pager help", "/pager list", "/pager oncall checkout", "/pager subscribe checkout"];

/** Fills `form`; `where()` gives {user, channel, thread_ts, name, mention}. */
export function composer(form, where, { inThread = false } = {}) {
  const input = h("textarea", {
    rows: 1, required: true, "aria-label": inThread ? "Reply" : "Message", autocomplete: "off", spellcheck: "false",
  });
  const examples = inThread ? null : h("p", { class: "examples", "aria-label": "Examples" }, EXAMPLES.map((text) =>
    h("button", {
      type: "button", class: "plain small",
      onclick: () => {
        input.value = text;
        grow();
        input.focus();
      },
    }, text)));
  form.replaceChildren(h("div", { class: "line" }, input, h("button", { class: "primary" }, "Send")), examples ?? "");

  function grow() {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight + 2, 160)}px`;
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
    grow();
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
  input.addEventListener("input", grow);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    }
  });
  return { name: (name) => { input.placeholder = inThread ? "Reply, or @pagerline ack" : `Message ${name}, or /pager …`; } };
}
