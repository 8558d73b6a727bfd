// Channels, people and the app: where one can go, and what waits there.

import { post } from "./api.js";
import { h, icon, iconButton } from "./dom.js";
import { createChannel } from "./create.js";
import { avatar } from "./messages.js";
import { attempt } from "./overlay.js";
import { unpressed } from "./press.js";
import { directWith, emit, on, store, titleOf } from "./store.js";

const box = () => document.getElementById("sidebar");
const OPEN_ARCHIVE = 8;
const folded = new Map();

export function startSidebar() {
  for (const topic of ["begin", "channel", "channel_gone", "user", "place"]) on(topic, schedule);
}

let waiting = false;
/** Many changes in one moment are one drawing. */
function schedule() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => unpressed(() => { waiting = false; draw(); }));
}

function draw() {
  const top = box().scrollTop;
  const held = box().contains(document.activeElement) ? document.activeElement.dataset.testid : null;
  const rooms = [...store.channels.values()].filter((c) => !c.is_im).sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  const mine = rooms.filter((c) => c.is_member && !c.is_archived);
  const others = rooms.filter((c) => !c.is_member && !c.is_archived);
  const archived = rooms.filter((c) => c.is_archived);
  box().replaceChildren(...[
    section("channels", "Channels", mine.map(channelLink), { add: iconButton("plus", "Create a channel", () => createChannel(), { class: "icon-button on-dark", testid: "create-channel" }) }),
    others.length ? section("others", "More channels", others.map(channelLink)) : null,
    section("people", "Direct messages", people()),
    section("apps", "Apps", [appLink()]),
    archived.length ? section("archived", "Archived", archived.map(channelLink), { open: archived.length <= OPEN_ARCHIVE || archived.some(isHere) }) : null,
    h("div", { class: "side-foot" }, h("button", { type: "button", class: "side-link", testid: "show-welcome", on: { click: () => emit("show-welcome") } }, icon("sparkle", 16), h("span", {}, "Things to try"))),
  ].filter(Boolean));
  box().scrollTop = top;
  if (held) box().querySelector(`[data-testid="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
}

function section(key, title, entries, { add = null, open = true } = {}) {
  const details = h("details", { class: "side-section" },
    h("summary", {}, icon("down", 14), h("span", {}, title)), h("ul", {}, entries));
  details.open = folded.get(key) ?? open;
  details.addEventListener("toggle", () => { if (details.isConnected) folded.set(key, details.open); });
  return h("div", { class: "side-group" }, details, add);
}

const isHere = (channel) => store.place?.kind === "channel" && store.place.id === channel.id;

function go(id) {
  return (event) => {
    if (event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    emit("go", id);
  };
}

function entry({ href, here, testid, drawn, name, channel, note, title, onclick }) {
  const quiet = !channel || channel.is_archived;
  const unread = quiet ? 0 : channel.unread;
  const mentions = quiet ? 0 : channel.mentions;
  return h("li", {}, h("a", {
    href, class: `side-link${unread ? " unread" : ""}${channel?.is_archived ? " faded" : ""}`, testid, title,
    "aria-current": here ? "page" : null, on: { click: onclick },
  }, drawn, h("span", { class: "side-name" }, name), note && h("span", { class: "side-note" }, note),
  unread > 0 && h("span", { class: "visually-hidden" }, `${unread} unread`),
  mentions > 0 && h("span", { class: "side-badge", testid: "badge" }, h("span", { class: "visually-hidden" }, ", of these for you: "), mentions > 99 ? "99+" : mentions)));
}

function channelLink(channel) {
  const sign = channel.is_archived ? "archive" : channel.is_private ? "lock" : "hash";
  const kind = [channel.is_private && "private", channel.is_archived && "archived"].filter(Boolean).join(", ");
  return entry({
    href: `#${channel.id}`, here: isHere(channel), testid: `channel-${channel.name}`, channel, title: channel.name,
    drawn: [icon(sign, 16), kind && h("span", { class: "visually-hidden" }, kind)], name: channel.name, onclick: go(channel.id),
  });
}

function people() {
  const app = store.bot.user_id;
  const groups = [...store.channels.values()].filter((c) => c.is_im && !c.user)
    .map((c) => entry({ href: `#${c.id}`, here: isHere(c), testid: `channel-${c.name}`, channel: c, drawn: icon("people", 16), name: titleOf(c), onclick: go(c.id) }));
  const users = [...store.users.values()].filter((user) => user.id !== app && user.id !== "USLACKBOT" && (!user.deleted || directWith(user.id)))
    .sort((a, b) => (b.id === store.as) - (a.id === store.as) || a.real_name.localeCompare(b.real_name));
  return [...users.map(personLink), ...groups];
}

/** Open the direct message with somebody, making it if it was never used. */
export async function openDirect(user) {
  const known = directWith(user);
  if (known) return emit("go", known.id);
  emit("between", true);
  const answer = await attempt(post("dm", { user }));
  if (!answer) return emit("between", false);
  store.channels.set(answer.channel.id, answer.channel);
  return emit("go", answer.channel.id);
}

function personLink(user) {
  const channel = directWith(user.id);
  return entry({
    href: channel ? `#${channel.id}` : `#@${user.id}`, here: channel && isHere(channel), testid: `dm-${user.name}`, channel,
    drawn: avatar(user, "small"), name: user.real_name, note: user.id === store.as ? "you" : user.deleted ? "left" : "", title: user.title,
    onclick: (event) => { event.preventDefault(); openDirect(user.id); },
  });
}

function appLink() {
  const user = store.users.get(store.bot.user_id) ?? { ...store.bot, id: store.bot.user_id, is_bot: true };
  const channel = directWith(user.id);
  return entry({
    href: store.bot.home || !channel ? "#home" : `#${channel.id}`, here: store.place?.kind === "home" || (channel && isHere(channel)), testid: "app-home", channel,
    drawn: avatar(user, "small"), name: store.bot.name ?? "App", note: "app",
    onclick: store.bot.home ? go("home") : (event) => { event.preventDefault(); openDirect(user.id); },
  });
}
