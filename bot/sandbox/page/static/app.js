// The page put together: who looks, where, and what to fetch again when the sandbox says something changed.

import { follow, look, slack } from "./api.js";
import { blocks } from "./blocks.js";
import { suggestions } from "./completion.js";
import { composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { h, toast } from "./dom.js";
import { Guide } from "./guide.js";
import { Inspector } from "./inspector.js";
import { browser, present, tab } from "./kept.js";
import { Modal } from "./modal.js";
import { PagerDuty } from "./pagerduty.js";
import { movingAbout, pane } from "./panes.js";
import { channelList, whoAmI } from "./sidebar.js";
import { Thread } from "./thread.js";
import { Trouble } from "./trouble.js";

const byId = (id) => document.getElementById(id);
const store = { me: tab.get("me", ""), workspace: null, verbs: [], pagerduty: null };
const SETTLE = 200; // milliseconds in which many hints about other channels become one look

/** The hash: a channel or `home`, and after a slash the open thread. */
function place() {
  const [channel, thread] = location.hash.slice(1).split("/");
  return { channel: channel || store.workspace.channels[0].id, thread: thread || null };
}

function reader() {
  const { workspace } = store;
  const people = new Map(workspace.people.map((p) => [p.id, p]));
  const channels = new Map(workspace.channels.map((c) => [c.id, c]));
  return { me: store.me, tz: people.get(store.me).tz, people, channels, groups: workspace.groups };
}

function complete(typed, options) {
  const { workspace, verbs } = store;
  const pagerduty = store.pagerduty ?? { services: [], names: [], priorities: [], incidents: [] }; // not here yet
  return suggestions(typed, {
    handle: workspace.people.find((p) => p.id === workspace.bot.id).handle,
    verbs,
    services: pagerduty.services.map((s) => s.name),
    names: pagerduty.names,
    priorities: pagerduty.priorities.map((p) => p.name),
    people: workspace.people.filter((p) => p.kind !== "deleted"),
    channels: workspace.channels,
    incidents: pagerduty.incidents.filter((i) => i.status !== "resolved"),
  }, options);
}

const seen = (channel) => browser.get(`seen.${store.me}`, {})[channel] ?? "";
function read(channel, ts) {
  if (document.hidden || ts <= seen(channel)) return;
  browser.set(`seen.${store.me}`, { ...browser.get(`seen.${store.me}`, {}), [channel]: ts });
}

const context = () => ({ reader: reader(), workspace: store.workspace });
const openThread = (ts) => { location.hash = `${place().channel}/${ts}`; };
const closeThread = () => {
  const { channel, thread: ts } = place();
  location.hash = channel;
  document.querySelector(`#messages [data-ts="${ts}"]`)?.focus({ preventScroll: true });
};
const conversation = new Conversation(
  { scroll: byId("scroll"), list: byId("messages"), earlier: byId("earlier"), newer: byId("newer") }, context, openThread, read);
const thread = new Thread(byId("thread"), context, complete, closeThread);
const modal = new Modal(byId("modal"), reader);
const pagerduty = new PagerDuty(() => reader().people.get(store.me), () => refresh.pagerduty());
const trouble = new Trouble();
const inspector = new Inspector(() => place().channel);
const write = composer(byId("composer"), () => ({ user: store.me, channel: place().channel }), { complete });
const guide = new Guide({ put: write.put, go: (channel) => { location.hash = channel; }, pane });

/** Runs `load` at once, and once more when it was asked for meanwhile: never two at a time, never one too few. */
function coalesced(load, pause = 0) {
  let running = false;
  let again = false;
  return async () => {
    again = running;
    if (running) return;
    running = true;
    do {
      if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
      again = false;
      try {
        await load();
      } catch (problem) {
        console.warn(problem);
      }
    } while (again);
    running = false;
  };
}

async function loadWorkspace() {
  store.workspace = await look("workspace", { user: store.me });
  store.me = store.workspace.me;
  whoAmI(store.workspace, become);
  heading();
}

const refresh = {
  workspace: coalesced(loadWorkspace),
  channel: coalesced(() => conversation.load()),
  thread: coalesced(() => thread.refresh()),
  surfaces: coalesced(async () => {
    const { modal: top, home } = await look("surfaces", { user: store.me });
    modal.show(top);
    if (place().channel === "home") showHome(home);
  }),
  pagerduty: coalesced(async () => {
    store.pagerduty = await look("pagerduty", pagerduty.query());
    pagerduty.show(store.pagerduty);
    await guide.look();
  }),
  trouble: coalesced(() => trouble.look()),
};
const news = coalesced(loadWorkspace, SETTLE);

function showHome(home) {
  const where = { user: store.me, view: home?.id };
  const surface = {
    reader: reader(),
    state: home?.state.values,
    fields: [],
    press: (what, label) => slack("action", { ...where, ...what }, label),
    options: (what) => slack("options", { ...where, ...what }),
  };
  const body = home
    ? blocks(home.blocks, surface)
    : h("p", { class: "quiet" }, "This app has published no Home. Its commands work in every channel: try /pager help.");
  byId("messages").replaceChildren(h("li", { class: "home" }, body));
}

function heading() {
  const { workspace } = store;
  const here = place().channel;
  const channel = workspace.channels.find((c) => c.id === here);
  const name = channel ? `${channel.private ? "🔒 " : "#"}${channel.name}` : workspace.bot.name;
  byId("channel-name").textContent = here === "home" ? `${name}: home` : name;
  byId("channel-topic").textContent = channel?.topic ?? "";
  byId("composer").hidden = here === "home" || Boolean(channel?.archived);
  write.at(name, here);
  const unread = workspace.channels.filter((c) => c.id !== here && c.newest > seen(c.id)).length;
  document.title = `${unread ? `(${unread}) ` : ""}${name} – Pagerline sandbox`;
  channelList(workspace, here, seen, () => pane("chat"));
  const change = (verb, label) => h("button", {
    type: "button", class: "plain small", onclick: () => slack(verb, { channel: here, by: store.me }),
  }, label);
  byId("membership").replaceChildren(...(!channel ? [] : channel.archived ? ["This channel is archived."]
    : channel.bot_is_member ? [change("kick", `Remove ${workspace.bot.name}`)]
      : [`${workspace.bot.name} is not in this channel. `, change("invite", `Invite ${workspace.bot.name}`)]));
}

async function go({ focus = false } = {}) {
  const { channel, thread: ts } = place();
  pane("chat");
  if (channel !== conversation.channel || channel === "home") {
    conversation.open(channel === "home" ? null : channel, seen(channel));
    heading();
    if (channel === "home") {
      await slack("open_home", { user: store.me });
      await refresh.surfaces();
    } else {
      await conversation.load();
      heading();
    }
  }
  if (ts) await thread.open(channel, ts, { focus });
  else thread.close();
}

function onHint(hint) {
  if (hint.part === "all") Object.values(refresh).forEach((load) => load());
  else if (hint.part === "channel") {
    if (hint.thread === thread.ts || hint.ts === thread.ts) refresh.thread();
    if (hint.channel !== place().channel) news();
    else if (!hint.quiet) conversation.changed(hint.ts).catch(console.warn);
  } else refresh[hint.part]?.();
}

let unfollow = () => {};

async function become(user) {
  // What still stands there was drawn for somebody else, and would be pressed as them.
  const drawn = [byId("scroll"), byId("thread")];
  for (const part of drawn) part.inert = true;
  try {
    await beThem(user);
  } finally {
    for (const part of drawn) part.inert = false;
  }
}

async function beThem(user) {
  unfollow();
  modal.show(null);
  store.me = user;
  await loadWorkspace();
  const { channel } = place();
  if (channel.startsWith("D") && channel !== store.workspace.direct.id) location.hash = store.workspace.direct.id;
  tab.set("me", store.me);
  present(store.me);
  store.pagerduty = await look("pagerduty", pagerduty.query());
  pagerduty.show(store.pagerduty);
  conversation.channel = null;
  unfollow = follow(store.me, onHint, (on) => {
    byId("live").textContent = on ? "live" : "offline";
    byId("live").className = on ? "live on" : "live";
  });
  await Promise.all([go(), refresh.surfaces(), guide.look()]);
}

async function begin() {
  store.verbs = (await look("verbs")).verbs;
  await become(store.me);
}

movingAbout();
byId("tour").onclick = () => guide.restart();
byId("look-inside").onclick = () => inspector.toggle();
window.addEventListener("hashchange", () => go({ focus: true }));
document.addEventListener("visibilitychange", () => !document.hidden && conversation.atEnd() && conversation.caughtUp());
begin().catch(() => toast("The sandbox does not answer. Is it still running?"));
