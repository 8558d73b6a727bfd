// A thread beside its channel; on a phone it takes the whole screen.

import { get } from "./api.js";
import { Composer, closedBar } from "./composer.js";
import { announce, h, iconButton } from "./dom.js";
import { attempt } from "./overlay.js";
import { authorOf, on, store, titleOf } from "./store.js";
import { Timeline } from "./timeline.js";

let timeline = null;
let composer = null;
let turn = 0;
let opener = null;
const panel = () => document.getElementById("thread");

export function startThread() {
  const scroller = h("div", { class: "scroller thread-scroller" });
  timeline = new Timeline(scroller, { inThread: true });
  composer = new Composer({ name: "thread-composer", sendName: "thread-send", sent: () => timeline.toEnd() });
  const place = h("div", { class: "composer-place", id: "thread-composer-place" });
  panel().append(
    h("div", { class: "thread-head" },
      iconButton("back", "Back to the channel", () => closeThread(), { class: "icon-button phone-only" }),
      h("h2", {}, "Thread", h("small", { id: "thread-where" })),
      iconButton("close", "Close thread", () => closeThread(), { testid: "thread-close", class: "icon-button desk-only" })),
    scroller, place);
  panel().addEventListener("keydown", (event) => { if (event.key === "Escape" && !event.defaultPrevented) closeThread(); });
  on("open-thread", open);
  on("message", ({ channel, message }) => { if (belongs(channel, message)) heard(message); });
  on("message_changed", ({ channel, message }) => { if (store.thread?.channel === channel && timeline.items.has(message.ts)) put(message); });
  on("message_deleted", ({ channel, ts }) => { if (store.thread?.channel === channel) { timeline.remove(ts); count(); } });
  on("channel", ({ channel }) => { if (channel.id === store.thread?.channel) footer(); });
  on("begin", () => closeThread());
}

const belongs = (channel, message) => store.thread?.channel === channel && (message.thread_ts === store.thread.ts || message.ts === store.thread.ts);

async function open({ channel, ts, focus = false }) {
  const mine = turn += 1;
  opener = document.activeElement;
  store.thread = { channel, ts };
  panel().hidden = false;
  document.body.classList.add("has-thread");
  const room = store.channels.get(channel);
  document.getElementById("thread-where").textContent = room ? (room.is_im ? titleOf(room) : `#${room.name}`) : "";
  composer.aim({ channel, thread_ts: ts }, "Reply…");
  footer();
  timeline.reset(channel, []);
  const answer = await attempt(get("thread", { channel, ts }));
  if (!answer || mine !== turn) return;
  timeline.reset(channel, answer.messages);
  count();
  if (focus || matchMedia("(hover: hover)").matches) composer.focus();
}

/** Nothing happens to the channel's own place when its thread is closed. */
export function closeThread() {
  if (!store.thread) return;
  turn += 1;
  store.thread = null;
  panel().hidden = true;
  timeline.reset(null, []);
  document.body.classList.remove("has-thread");
  if (opener?.isConnected) opener.focus({ preventScroll: true });
}

function heard(message) {
  if (!put(message)) return;
  if (message.user === store.as) timeline.toEnd();
  if (store.place?.id !== store.thread.channel || message.thread_ts !== message.ts) announce(`Reply by ${authorOf(message).real_name}`);
}

function put(message) {
  const isNew = timeline.put(message);
  count();
  return isNew;
}

/** "3 replies" stands between the first message and the rest. */
function count() {
  const replies = Math.max(0, timeline.size - 1);
  const parent = timeline.items.get(timeline.first)?.node;
  if (!parent) return;
  let line = parent.querySelector(".reply-line");
  line ??= parent.appendChild(h("p", { class: "reply-line" }));
  line.textContent = replies === 1 ? "1 reply" : `${replies} replies`;
  line.hidden = replies === 0;
}

function footer() {
  const room = store.channels.get(store.thread?.channel);
  const place = document.getElementById("thread-composer-place");
  if (!room) return;
  if (room.is_archived) place.replaceChildren(closedBar("This channel is archived."));
  else if (!room.is_member) place.replaceChildren(closedBar("Join the channel to reply."));
  else if (composer.node.parentElement !== place) place.replaceChildren(composer.node);
}
