// The page put together: who looks, where, and what to fetch again when the sandbox says something changed.

import { follow, look, slack } from "./api.js";
import { blocks } from "./blocks.js";
import { composer } from "./composer.js";
import { h, toast } from "./dom.js";
import { MessageList } from "./messages.js";
import { Modal } from "./modal.js";
import { PagerDuty } from "./pagerduty.js";
import { channelList, whoAmI } from "./sidebar.js";
import { Thread } from "./thread.js";

const byId = (id) => document.getElementById(id);
const store = { me: sessionStorage.getItem("me") ?? "", workspace: null, seen: new Map() };

function place() {
  return location.hash.slice(1) || store.workspace.channels[0].id;
}

function reader() {
  const { workspace } = store;
  const people = new Map(workspace.people.map((p) => [p.id, p]));
  const channels = new Map(workspace.channels.map((c) => [c.id, c]));
  return { me: store.me, tz: people.get(store.me).tz, people, channels, groups: workspace.groups };
}

const context = () => ({ reader: reader(), workspace: store.workspace });
const list = new MessageList(byId("messages"), context, (ts) => thread.open(place(), ts));
const thread = new Thread(byId("thread"), context);
const modal = new Modal(byId("modal"), reader);
const pagerduty = new PagerDuty(() => reader().people.get(store.me));
const write = composer(byId("composer"), () => ({ user: store.me, channel: place() }));

/** Runs `load` at once, and once more when it was asked for meanwhile: never two at a time, never one too few. */
function coalesced(load) {
  let running = false;
  let again = false;
  return async () => {
    again = running;
    if (running) return;
    running = true;
    do {
      again = false;
      try {
        await load();
      } catch (problem) {
        byId("live").textContent = "offline";
        console.warn(problem);
      }
    } while (again);
    running = false;
  };
}

const refresh = {
  workspace: coalesced(async () => {
    store.workspace = await look("workspace", { user: store.me });
    store.me = store.workspace.me;
    whoAmI(store.workspace, become);
    heading();
  }),
  channel: coalesced(async () => {
    const here = place();
    if (here === "home") return;
    const { messages } = await look(`channel/${here}`, { user: store.me });
    if (here !== place()) return;
    const scroll = byId("scroll");
    const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
    list.show(messages.filter((m) => !m.is_reply || m.broadcast || m.ephemeral_to));
    thread.show(messages);
    store.seen.set(here, messages.at(-1)?.ts ?? "");
    if (atEnd) scroll.scrollTop = scroll.scrollHeight;
  }),
  surfaces: coalesced(async () => {
    const { modal: top, home } = await look("surfaces", { user: store.me });
    modal.show(top);
    if (place() === "home") showHome(home);
  }),
  pagerduty: coalesced(async () => pagerduty.show(await look("pagerduty"))),
};

function showHome(home) {
  const where = { user: store.me, view: home?.id };
  const surface = {
    reader: reader(),
    state: home?.state.values,
    fields: [],
    press: (what) => slack("action", { ...where, ...what }),
    options: (what) => slack("options", { ...where, ...what }),
  };
  const body = home
    ? blocks(home.blocks, surface)
    : h("p", { class: "quiet" }, "The app has published no Home for you yet.");
  list.clear();
  byId("messages").replaceChildren(h("li", { class: "home" }, body));
}

function heading() {
  const { workspace } = store;
  const here = place();
  const channel = workspace.channels.find((c) => c.id === here);
  const name = channel ? `${channel.private ? "🔒 " : "#"}${channel.name}` : workspace.bot.name;
  byId("channel-name").textContent = here === "home" ? `${name}: home` : name;
  byId("channel-topic").textContent = channel?.topic ?? "";
  byId("composer").hidden = here === "home" || Boolean(channel?.archived);
  write.name(name);
  document.title = `${name} – Pagerline sandbox`;
  channelList(workspace, here, store.seen, () => pane("chat"));
  const change = (verb, label) => h("button", {
    type: "button", class: "plain small", onclick: () => slack(verb, { channel: here, by: store.me }),
  }, label);
  byId("membership").replaceChildren(...(!channel ? [] : channel.archived ? ["This channel is archived."]
    : channel.bot_is_member ? [change("kick", `Remove ${workspace.bot.name}`)]
      : [`${workspace.bot.name} is not in this channel. `, change("invite", `Invite ${workspace.bot.name}`)]));
}

async function go() {
  thread.close();
  list.clear();
  heading();
  pane("chat");
  if (place() === "home") {
    await slack("open_home", { user: store.me });
    await refresh.surfaces();
  } else {
    await refresh.channel();
    byId("scroll").scrollTop = byId("scroll").scrollHeight;
    heading();
  }
}

function pane(name) {
  document.body.dataset.pane = name;
  for (const button of document.querySelectorAll(".panes button")) {
    button.setAttribute("aria-pressed", String(button.dataset.pane === name));
  }
}

function onHint(hint) {
  if (hint.part === "all") Object.values(refresh).forEach((load) => load());
  else if (hint.part === "channel") {
    if (hint.channel === place()) refresh.channel();
    else refresh.workspace();
  } else refresh[hint.part]?.();
}

let unfollow = () => {};

async function become(user) {
  unfollow();
  modal.show(null);
  store.me = user;
  await refresh.workspace();
  if (!store.workspace.channels.some((c) => c.id === place()) && place().startsWith("D")) {
    location.hash = store.workspace.direct;
  }
  sessionStorage.setItem("me", store.me);
  unfollow = follow(store.me, onHint, (on) => {
    byId("live").textContent = on ? "live" : "offline";
    byId("live").className = on ? "live on" : "live";
  });
  await Promise.all([go(), refresh.pagerduty(), refresh.surfaces()]);
}

for (const button of document.querySelectorAll(".panes button")) {
  button.addEventListener("click", () => pane(button.dataset.pane));
}
window.addEventListener("hashchange", go);
pane("chat");
become(store.me).catch(() => toast("The sandbox does not answer. Is it still running?"));
