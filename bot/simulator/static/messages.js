// One message as an article: author, time, content, reactions, thread summary.

import { post } from "./api.js";
import { attachments, blocks } from "./blocks.js";
import { h, icon } from "./dom.js";
import { characters } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";
import { attempt } from "./overlay.js";
import { onlyEmoji } from "./richtext.js";
import { authorOf, emit, nameOf, store } from "./store.js";
import { clock, dateOf, full } from "./time.js";
import { raiseToolbar } from "./toolbar.js";

/** Subtypes that Slack shows as a quiet line: who did what. */
const SYSTEM = new Set(["channel", "group"].flatMap((kind) => ["join", "leave", "topic", "purpose", "name", "archive", "unarchive"].map((what) => `${kind}_${what}`)));
SYSTEM.add("pinned_item").add("unpinned_item").add("bot_add").add("bot_remove").add("reminder_add");
export const isSystem = (message) => SYSTEM.has(message.subtype);

const CLOSE_TOGETHER = 5 * 60;

/** What an app built stands for itself: several in a row must not read as one. */
const standsAlone = (message) => Boolean(message.ephemeral) || (message.bot_id && message.blocks?.some((block) => block.type !== "section" && block.type !== "rich_text"));

/** Whether a message needs no author line because the one before it has the same. */
export function continues(message, before) {
  return Boolean(before) && !standsAlone(message) && !standsAlone(before) && !isSystem(before) && !isSystem(message)
    && authorOf(before).id === authorOf(message).id
    && Boolean(before.ephemeral) === Boolean(message.ephemeral)
    && message.subtype !== "thread_broadcast" && message.subtype !== "tombstone" && before.subtype !== "tombstone"
    && Number(message.ts) - Number(before.ts) < CLOSE_TOGETHER;
}

/** A coloured square with initials; colour alone never tells who it is. */
export function avatar(user, size = "") {
  const drawn = user.icons?.emoji ? characters(user.icons.emoji.replaceAll(":", "")) : null;
  const color = /^#?[0-9a-f]{6}$/i.test(user.color ?? "") ? `#${user.color.replace("#", "")}` : "#5b5670";
  return h("span", { class: `avatar ${size}${drawn ? " drawn" : ""}`, style: { "--avatar": color }, "aria-hidden": "true" }, drawn ?? (user.is_bot && user.id === store.bot.user_id ? icon("bell", 20) : user.initials || "?"));
}

const clicked = (channel, ts) => ({
  channel,
  state: () => null,
  keep: () => {},
  use: (block, element, value) => attempt(post("action", { channel, ts, block_id: block.block_id, action_id: element.action_id, value })),
  options: (block, element, value) => post("options", { channel, ts, block_id: block.block_id, action_id: element.action_id, value }),
});

function content(message, channel) {
  if (message.subtype === "tombstone") return [h("p", { class: "tombstone" }, icon("trash", 14), message.text || "This message was deleted.")];
  const context = clicked(channel, message.ts);
  const shown = message.blocks?.length
    ? blocks(message.blocks, context)
    : message.text ? [h("div", { class: "mrkdwn" }, mrkdwn(message.text))] : [];
  return [...shown, ...attachments(message.attachments, context)];
}

function reactions(message, channel) {
  if (!message.reactions?.length) return null;
  return h("div", { class: "reactions" }, message.reactions.map(({ name, users = [], count }) => {
    const mine = users.includes(store.as);
    const who = users.map((id) => (id === store.as ? "you" : nameOf(id))).join(", ");
    return h("button", {
      type: "button", class: "reaction", "aria-pressed": String(mine), testid: `reaction-${name}`,
      title: `${who} reacted with :${name}:`, "aria-label": `${name.replaceAll("_", " ")}, ${count}: ${who}`,
      on: { click: () => attempt(post("react", { channel, ts: message.ts, name, on: !mine })) },
    }, h("span", { class: "emoji", "aria-hidden": "true" }, characters(name) ?? `:${name}:`), h("span", { class: "count" }, count));
  }), h("button", { type: "button", class: "reaction add", "aria-label": "Add a reaction", title: "Add a reaction", on: { click: (event) => emit("pick-reaction", { anchor: event.currentTarget, channel, ts: message.ts }) } }, icon("smile", 15), icon("plus", 10)));
}

function threadSummary(message, channel) {
  if (!message.reply_count) return null;
  const faces = (message.reply_users ?? []).slice(0, 4).map((id) => avatar(store.users.get(id) ?? authorOf({ bot_id: id }), "tiny"));
  const latest = message.latest_reply ? h("span", { class: "latest" }, `Last reply ${clock(dateOf(message.latest_reply))}`) : null;
  return h("button", { type: "button", class: "thread-summary", testid: "thread-summary", on: { click: () => emit("open-thread", { channel, ts: message.thread_ts ?? message.ts }) } },
    faces, h("span", { class: "replies" }, message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`), latest);
}

function timeNode(message, short = false) {
  const date = dateOf(message.ts);
  return h("time", { class: short ? "gutter-time" : "time", datetime: date.toISOString(), title: full(date) }, clock(date));
}

function systemMessage(message) {
  const author = authorOf(message);
  const words = message.text ?? "";
  // Slack's texts for joins name the person; those for topics only say what was done.
  const named = words.includes(`<@${message.user}>`);
  const said = mrkdwn(words).flatMap((node) => [...node.childNodes]);
  for (const node of said) if (node.classList?.contains("mention")) node.textContent = node.textContent.replace(/^@/, "");
  return h("article", { class: "message system", testid: "message", data: { ts: message.ts }, tabindex: "-1" },
    h("span", { class: "gutter" }, icon(message.subtype === "pinned_item" ? "pin" : message.subtype.endsWith("archive") ? "archive" : "user", 15)),
    h("div", { class: "body" }, !named && h("b", {}, `${author.real_name} `), ...said, " ", timeNode(message)));
}

/** Build a message's article. `inThread` leaves out what only a channel shows. */
export function messageNode(message, channel, { continued = false, inThread = false } = {}) {
  if (isSystem(message)) return systemMessage(message);
  const author = authorOf(message);
  const pinned = message.pinned_to?.includes(channel) || store.channels.get(channel)?.pins?.includes(message.ts);
  const mentions = !message.ephemeral && message.user !== store.as && new RegExp(`<@${store.as}[|>]|<!(here|channel|everyone)[|>]`).test(message.text ?? "");
  const node = h("article", { class: ["message", continued && "continued", message.ephemeral && "ephemeral", pinned && "pinned", mentions && "mentions"].filter(Boolean).join(" "), tabindex: "-1", testid: "message", data: { ts: message.ts }, "aria-label": `${author.real_name}, ${clock(dateOf(message.ts))}` },
    h("div", { class: "gutter" }, continued ? timeNode(message, true) : avatar(author)),
    h("div", { class: "body" },
      pinned && h("p", { class: "flag pin-flag" }, icon("pin", 13), "Pinned"),
      message.ephemeral && h("p", { class: "flag", testid: "ephemeral" }, icon("eye", 13), "Only visible to you"),
      message.subtype === "thread_broadcast" && !inThread && h("p", { class: "flag" }, icon("thread", 13), "Replied to a ",
        h("button", { type: "button", class: "linklike", on: { click: () => emit("open-thread", { channel, ts: message.thread_ts }) } }, "thread")),
      h("header", { class: continued ? "byline visually-hidden" : "byline" },
        h("button", { type: "button", class: "author", tabindex: "-1", data: { user: author.id } }, author.real_name || author.name),
        author.is_bot && h("span", { class: "badge-app" }, "APP"), timeNode(message)),
      h("div", { class: `content${onlyEmoji(message.blocks) ? " jumbo" : ""}` }, content(message, channel),
        message.edited && message.subtype !== "tombstone" && h("small", { class: "edited", title: full(dateOf(message.edited.ts)) }, "(edited)")),
      message.ephemeral && h("button", { type: "button", class: "linklike dismiss", on: { click: () => attempt(post("delete", { channel, ts: message.ts })) } }, "Dismiss message"),
      reactions(message, channel),
      !inThread && threadSummary(message, channel)));
  const raise = () => raiseToolbar(node, message, channel, inThread);
  node.addEventListener("pointerenter", raise);
  node.addEventListener("focusin", raise);
  return node;
}
