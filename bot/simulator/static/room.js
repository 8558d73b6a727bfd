// The open channel: its messages, what is read, its composer.

import { get, post } from "./api.js";
import { Composer, closedBar } from "./composer.js";
import { announce, h, icon } from "./dom.js";
import { avatar, isSystem } from "./messages.js";
import { typedAgain } from "./mrkdwn.js";
import { attempt } from "./overlay.js";
import { authorOf, currentChannel, inChannel, on, store, titleOf } from "./store.js";
import { Timeline } from "./timeline.js";

const PAGE = 50;
const KEPT_CLOSED = 100;
const READ_PAUSE = 250;

let timeline = null;
export let composer = null;
let loading = false;
let missed = 0;
let answered = ""; // the answer to what this person did, while it waits out of sight
let long = ""; // an answer longer than the screen that came while the end was in sight
let turn = 0;

const byId = (id) => document.getElementById(id);
const room = () => store.rooms.get(store.place?.id);

export function startRoom() {
  timeline = new Timeline(byId("scroller"), { older: loadOlder, atEnd: (there) => { if (there) { missed = 0; answered = ""; read(); } button(); } });
  composer = new Composer({ name: "composer", sent: () => toNewest(true) });
  byId("to-end").addEventListener("click", () => toNewest());
  on("message", ({ channel, message, type }) => {
    if (channel !== store.place?.id || !inChannel(message)) return;
    heard(message, type);
  });
  on("message_changed", ({ channel, message }) => {
    if (channel === store.place?.id && timeline.items.has(message.ts)) timeline.put(message);
  });
  on("message_deleted", ({ channel, ts }) => { if (channel === store.place?.id) { timeline.remove(ts); empty(); } });
  on("channel", ({ channel }) => { if (channel.id === store.place?.id) footer(); });
  on("between", (moving) => composer.hold(moving));
  document.addEventListener("visibilitychange", () => read());
  addEventListener("focus", () => read());
}

/** Go to the end; a long answer is read from its first line. */
function toNewest(sent = false) {
  const asked = answered || (sent && long);
  long = "";
  timeline.toEnd();
  if (asked) timeline.fromTop(asked);
}

/** Open a channel that is in the store. */
export async function openRoom(channel) {
  const mine = turn += 1;
  composer.aim({ channel: channel.id }, channel.is_im ? `Message ${titleOf(channel)}` : `Message #${channel.name}`);
  footer();
  missed = 0;
  answered = "";
  for (const [id, other] of store.rooms) if (id !== channel.id) trim(other);
  if (!store.rooms.has(channel.id)) {
    timeline.reset(channel.id, []);
    byId("scroller").setAttribute("aria-busy", "true");
    const page = await attempt(get("messages", { channel: channel.id, limit: PAGE }));
    byId("scroller").removeAttribute("aria-busy");
    if (!page || mine !== turn) return;
    store.rooms.set(channel.id, { messages: new Map(page.messages.map((m) => [m.ts, m])), hasMore: page.has_more });
  }
  const sorted = [...room().messages.values()].sort((a, b) => (a.ts < b.ts ? -1 : 1));
  timeline.reset(channel.id, sorted, { unreadAfter: channel.is_member && channel.unread ? channel.last_read || "0" : null });
  empty();
  button();
  read(true);
}

/** A channel that nobody looks at keeps only its newest messages in memory. */
function trim(other) {
  const all = [...other.messages.keys()].sort();
  if (all.length <= KEPT_CLOSED) return;
  for (const ts of all.slice(0, all.length - KEPT_CLOSED)) other.messages.delete(ts);
  other.hasMore = true;
}

async function loadOlder() {
  const channel = store.place?.id;
  if (loading || !room()?.hasMore || !timeline.first) return;
  loading = true;
  const page = await attempt(get("messages", { channel, before: timeline.first, limit: PAGE }));
  loading = false;
  if (!page || channel !== store.place?.id || !room()) return;
  for (const message of page.messages) room().messages.set(message.ts, message);
  room().hasMore = page.has_more;
  timeline.prepend(page.messages);
  empty();
}

function heard(message, type) {
  const away = document.hidden || !timeline.stuck;
  const own = message.user === store.as;
  if (away && !own && !missed && !timeline.lineAt && type === "message" && !isSystem(message)) timeline.lineBefore(message.ts);
  const isNew = timeline.put(message);
  empty();
  if (!isNew) return;
  if (!timeline.stuck && !own) missed += 1;
  if (own) timeline.toEnd();
  else if (message.ephemeral && !timeline.stuck) answered = message.ts;
  else if (message.ephemeral && timeline.fromTop(message.ts)) long = message.ts;
  button();
  const author = authorOf(message).real_name;
  announce(`${author}${message.ephemeral ? ", only to you" : ""}: ${typedAgain(message.text ?? "").slice(0, 200)}`);
  read();
}

function button() {
  const node = byId("to-end");
  node.hidden = timeline.stuck || !timeline.size;
  node.replaceChildren(icon("down", 16), h("span", {}, answered ? "An answer for you" : missed ? `${missed} new ${missed === 1 ? "message" : "messages"}` : "Jump to latest"));
}

let reading = 0;
/** Tell the workspace what was seen: what stands there when the channel is opened, later only what is in sight. */
function read(opened = false) {
  clearTimeout(reading);
  reading = setTimeout(() => {
    const channel = currentChannel();
    if (document.body.dataset.ready !== store.as) return; // between two people: the next one has seen nothing yet
    if (!channel?.is_member || document.hidden || !(timeline.stuck || opened) || timeline.channel !== channel.id) return;
    const ts = timeline.order.findLast((each) => !timeline.items.get(each).message.ephemeral);
    if (ts && ts > (channel.last_read || "")) post("read", { channel: channel.id, ts }).catch(() => {});
  }, READ_PAUSE);
}

export function reveal(ts) {
  if (timeline.reveal(ts)) return;
  const search = async () => {
    while (room()?.hasMore && timeline.first > ts) {
      const before = timeline.first;
      await loadOlder();
      if (timeline.first === before) break;
    }
    timeline.reveal(ts);
  };
  search();
}

/** What stands above the first message, or alone in an empty channel. */
function empty() {
  const channel = currentChannel();
  const old = byId("scroller").querySelector(".beginning");
  if (!channel || room()?.hasMore !== false) return old?.remove();
  const other = store.users.get(channel.user);
  const key = `${channel.id}:${channel.purpose}`;
  if (old?.dataset.key === key) return undefined;
  const words = channel.is_im ? `This is the beginning of your conversation with ${titleOf(channel)}.`
    : `This is the very beginning of #${channel.name}.${channel.purpose ? ` ${channel.purpose}.` : ""}`;
  const node = h("div", { class: "beginning", data: { key } },
    other ? avatar(other, "large") : h("span", { class: "beginning-sign" }, icon(channel.is_private ? "lock" : "hash", 30)),
    h("h2", {}, channel.is_im ? titleOf(channel) : `#${channel.name}`), h("p", {}, words.replace("..", ".")));
  old?.remove();
  byId("scroller").prepend(node);
  if (timeline.stuck) timeline.toEnd();
  return undefined;
}

/** The composer, or why there is none. */
function footer() {
  const channel = currentChannel();
  const place = byId("composer-place");
  if (!channel) return;
  const kind = channel.is_archived ? "archived" : channel.is_member ? "open" : "outside";
  if (place.dataset.kind === kind && place.dataset.channel === channel.id) return;
  place.dataset.kind = kind;
  place.dataset.channel = channel.id;
  if (kind === "open") place.replaceChildren(composer.node);
  else if (kind === "archived") place.replaceChildren(closedBar("This channel is archived. It can be read, but nobody can write here."));
  else {
    const join = h("button", { type: "button", class: "button primary", testid: "join", on: { click: () => attempt(post("join", { channel: channel.id })) } }, "Join channel");
    place.replaceChildren(closedBar(`You are looking at #${channel.name}.`, join));
  }
  if (kind === "open") composer.set(composer.area.value, false);
}

