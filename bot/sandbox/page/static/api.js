// The page's two halves of HTTP: looking (views) and doing (verbs of the fakes).

import { toast } from "./dom.js";

export async function look(path, query = {}) {
  const answer = await fetch(`/view/${path}?${new URLSearchParams(query)}`);
  if (!answer.ok) throw new Error((await answer.json()).error);
  return answer.json();
}

/** Tells `listener` of everything that is done on this page: {side, verb, body, note}. */
export function onAct(listener) {
  listeners.push(listener);
}

const listeners = [];

/** Does something; the answer, or null after telling the person why it could not be done. */
export async function act(side, verb, body, note = "") {
  try {
    const answer = await fetch(`/do/${side}/${verb}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const result = await answer.json();
    if (answer.ok) {
      listeners.forEach((listener) => listener({ side, verb, body, note }));
      return result;
    }
    toast(result.error);
  } catch {
    toast("The sandbox does not answer. Is it still running?");
  }
  return null;
}

/** Does something in Slack, and says so when the bot failed to answer. */
export async function slack(verb, body, note = "") {
  const result = await act("slack", verb, body, note);
  if (result?.failure && !["not_sent", "invalid_options"].includes(result.failure)) {
    toast(`The bot did not answer: ${result.failure}.`);
  }
  return result;
}

/** Calls `onHint` for every change, and `onState` with true while connected. */
export function follow(user, onHint, onState) {
  const source = new EventSource(`/stream?user=${user}`);
  source.onopen = () => onState(true);
  source.onerror = () => onState(false);
  source.onmessage = (event) => onHint(JSON.parse(event.data));
  return () => source.close();
}
