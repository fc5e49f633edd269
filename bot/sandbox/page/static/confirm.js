// The question Slack asks before it sends an action that has a `confirm`.

import { h } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";

/** True when the person says yes. */
export function ask(question, reader) {
  const dialog = document.getElementById("confirm");
  const said = question.text.type === "mrkdwn" ? mrkdwn(question.text.text, reader) : question.text.text;
  return new Promise((resolve) => {
    const answer = (value) => () => {
      dialog.close();
      resolve(value);
    };
    dialog.replaceChildren(
      h("h2", { id: "confirm-title" }, question.title.text),
      h("p", {}, said),
      h("footer", {},
        h("button", { type: "button", onclick: answer(false) }, question.deny?.text ?? "Cancel"),
        h("button", { type: "button", class: question.style ?? "primary", onclick: answer(true) },
          question.confirm?.text ?? "Yes")));
    dialog.oncancel = () => resolve(false);
    dialog.showModal();
  });
}
