// Above the messages: which channel this is, who is in it, what is pinned and bookmarked.

import { get, post } from "./api.js";
import { h, icon, iconButton, link } from "./dom.js";
import { characters } from "./emoji.js";
import { avatar } from "./messages.js";
import { inline, typedAgain } from "./mrkdwn.js";
import { attempt, menu, popover } from "./overlay.js";
import { authorOf, currentChannel, directWith, emit, on, store, titleOf } from "./store.js";
import { clock, dateOf, dayWords } from "./time.js";
import { openDirect } from "./sidebar.js";
import { words } from "./texts.js";

const byId = (id) => document.getElementById(id);

export function startHeader() {
  on("place", draw);
  on("begin", draw);
  on("channel", ({ channel }) => { if (channel.id === store.place?.id) draw(); });
}

const isApp = (channel) => channel?.is_im && channel.user === store.bot.user_id;

function draw() {
  const channel = currentChannel();
  const home = store.place?.kind === "home";
  byId("bookmarks").hidden = true;
  if (home || isApp(channel)) return drawApp(home);
  if (!channel) return byId("channel-header").replaceChildren();
  const sign = channel.is_archived ? "archive" : channel.is_private ? "lock" : "hash";
  const other = store.users.get(channel.user);
  byId("channel-header").replaceChildren(
    h("div", { class: "channel-title" },
      h("h1", { testid: "channel-name" }, other ? avatar(other, "small") : icon(channel.is_im ? "people" : sign, 18), h("span", {}, titleOf(channel)),
        channel.is_private && h("span", { class: "visually-hidden" }, " (private)"),
        channel.is_archived && h("span", { class: "badge" }, "Archived")),
      h("p", { class: "topic", testid: "topic", title: typedAgain(channel.topic || "") }, channel.topic ? inline(channel.topic) : channel.is_im ? other?.title ?? "" : h("span", { class: "faint" }, channel.purpose || "No topic yet"))),
    h("div", { class: "channel-tools", hidden: channel.is_im },
      channel.pins.length > 0 && h("button", { type: "button", class: "count-button", testid: "pins", "aria-haspopup": "dialog", title: "Pinned messages", "aria-label": `${channel.pins.length} pinned`, on: { click: (event) => pins(event.currentTarget, channel) } }, icon("pin", 16), channel.pins.length),
      h("button", { type: "button", class: "count-button", "aria-haspopup": "dialog", title: "Members", "aria-label": `${channel.members.length} members`, testid: "member-count", on: { click: (event) => members(event.currentTarget, channel) } }, icon("people", 16), channel.members.length),
      iconButton("more", "Channel actions", (event) => actions(event.currentTarget, channel), { testid: "channel-actions", "aria-haspopup": "menu" })));
  bookmarks(channel);
  return undefined;
}

function drawApp(home) {
  const user = store.users.get(store.bot.user_id) ?? { ...store.bot, is_bot: true };
  const tab = (name, here, run, testid) => h("button", { type: "button", class: "tab", "aria-current": here ? "page" : null, testid, on: { click: run } }, name);
  byId("channel-header").replaceChildren(
    h("div", { class: "channel-title" }, h("h1", { testid: "channel-name" }, avatar(user, "small"), h("span", {}, store.bot.name ?? "App"), h("span", { class: "badge-app" }, "APP"))),
    ...(store.bot.home ? [h("div", { class: "tabs" }, tab("Home", home, () => emit("go", "home"), "tab-home"), tab("Messages", !home, () => openDirect(store.bot.user_id), "tab-messages"))] : []));
}

function bookmarks(channel) {
  const bar = byId("bookmarks");
  bar.hidden = !channel.bookmarks?.length;
  bar.replaceChildren(...(channel.bookmarks ?? []).map((mark) => link(mark.link, [
    mark.emoji && characters(String(mark.emoji).replaceAll(":", "")) ? h("span", { class: "emoji", "aria-hidden": "true" }, characters(String(mark.emoji).replaceAll(":", ""))) : icon("bookmark", 14),
    h("span", {}, mark.title || mark.link)], { class: "bookmark", testid: "bookmark", title: mark.link })));
}

function members(anchor, channel) {
  const absent = [...store.users.values()].filter((user) => !channel.members.includes(user.id) && !user.deleted && user.id !== "USLACKBOT");
  const choice = h("select", { "aria-label": "Who to invite", testid: "invite-user" }, h("option", { value: "" }, "Invite someone…"), absent.map((user) => h("option", { value: user.id }, user.real_name)));
  choice.addEventListener("change", async () => {
    if (!choice.value) return;
    await attempt(post("invite", { channel: channel.id, users: [choice.value] }));
    shown?.close();
  });
  const person = (id) => {
    const user = store.users.get(id) ?? { id, real_name: id };
    return h("li", {}, h("button", { type: "button", class: "person-row", on: { click: () => { shown?.close(); openDirect(id); } } }, avatar(user, "small"), h("span", {}, user.real_name, id === store.as && " (you)", h("small", {}, user.title || (user.is_bot ? "App" : "")))));
  };
  const shown = popover(anchor, [
    h("h2", {}, `${channel.members.length} ${channel.members.length === 1 ? "member" : "members"}`),
    h("ul", { class: "person-list" }, channel.members.map(person)),
    channel.is_member && !channel.is_archived && absent.length ? h("div", { class: "popover-foot" }, choice) : null,
  ], { label: "Members", kind: "people-panel" });
}

async function pins(anchor, channel) {
  const list = h("ul", { class: "pin-list" }, h("li", { class: "empty-note" }, "Loading…"));
  const shown = popover(anchor, [h("h2", {}, "Pinned messages"), list], { label: "Pinned messages", kind: "people-panel" });
  const found = await Promise.all(channel.pins.map((ts) => get("thread", { channel: channel.id, ts }).then((answer) => answer.messages.find((m) => m.ts === ts)).catch(() => null)));
  const entry = (message) => {
    const date = dateOf(message.ts);
    const header = message.blocks?.find((block) => block.type === "header")?.text?.text;
    return h("li", {}, h("button", { type: "button", class: "pin-row", on: { click: () => { shown?.close(); emit("reveal", { ts: message.ts, thread: message.thread_ts }); } } },
      h("b", {}, authorOf(message).real_name), h("small", {}, `${dayWords(date)}, ${clock(date)}`), h("span", {}, words({ text: header || typedAgain(message.text || "Message") }).slice(0, 140))));
  };
  list.replaceChildren(...found.filter(Boolean).map(entry));
  shown?.again();
}

function actions(anchor, channel) {
  const items = [];
  if (channel.is_member) items.push({ label: "Leave channel", icon: "back", testid: "leave", run: () => attempt(post("leave", { channel: channel.id })) });
  else if (!channel.is_archived) items.push({ label: "Join channel", icon: "plus", run: () => attempt(post("join", { channel: channel.id })) });
  for (const shortcut of store.shortcuts.filter((each) => each.type === "global")) {
    items.push({ label: shortcut.name, note: store.bot.name, icon: "bolt", testid: `shortcut-${shortcut.callback_id}`, run: () => attempt(post("shortcut", { callback_id: shortcut.callback_id })) });
  }
  menu(anchor, items, "Channel actions");
}

/** Who somebody is, on a click on the name. */
export function profile(anchor, id) {
  const user = store.users.get(id);
  if (!user) return;
  let local = "";
  try { local = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit", timeZone: user.tz }).format(new Date()); } catch { /* an unknown zone */ }
  const go = () => { shown?.close(); if (id === store.bot.user_id && !directWith(id)) emit("go", "home"); else openDirect(id); };
  const shown = popover(anchor, h("div", { class: "profile" }, avatar(user, "large"),
    h("div", {}, h("h2", {}, user.real_name), h("p", {}, `@${user.name}`), user.title && h("p", {}, user.title), local && !user.is_bot && h("p", { class: "faint" }, `${local} local time (${user.tz})`)),
    h("button", { type: "button", class: "button", on: { click: go } }, "Message")), { label: user.real_name, kind: "profile-panel" });
}
