// Slack's mrkdwn as DOM nodes. https://docs.slack.dev/messaging/formatting-message-text

import { h, link } from "./dom.js";
import { emojiNode } from "./emoji.js";
import { nameOf, store } from "./store.js";
import { dateNode } from "./time.js";

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
export const unescape = (text) => String(text).replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]);

const STYLES = { "*": "strong", _: "em", "~": "del" };
const DEEPEST = 6;
const WORDLIKE = /[\p{L}\p{N}]/u;
const BARE_LINK = /https?:\/\/[^\s<>|]+[^\s<>|.,;:!?)\]'"*_~]/y;
const EMOJI_NAME = /:([a-z0-9_+'-]+(?:::skin-tone-[2-6])?):/y;
const REFERENCE = /<([^<>\n]{1,4000})>/y;

/** Render mrkdwn. `verbatim` leaves bare addresses alone, as Slack's flag does. */
export function mrkdwn(text, { verbatim = false } = {}) {
  const parts = [];
  const pieces = String(text ?? "").split("```");
  pieces.forEach((piece, index) => {
    const fenced = index % 2 === 1 && index < pieces.length - 1;
    if (fenced) parts.push(h("pre", {}, h("code", {}, codeText(piece.replace(/^\n/, "").replace(/\n$/, "")))));
    else parts.push(...paragraphs(index % 2 === 1 ? "```" + piece : trimBesideFence(piece, index, pieces.length), verbatim));
  });
  return parts;
}

/** A line break that only separates text from a code block is not an empty line. */
function trimBesideFence(piece, index, count) {
  let kept = piece;
  if (index > 0) kept = kept.replace(/^\n/, "");
  if (index < count - 1) kept = kept.replace(/\n$/, "");
  return kept;
}

const codeText = (text) => unescape(text.replace(/<([^<>\n|]+)(?:\|([^<>\n]+))?>/g, (whole, address, label) => label ?? address));

function paragraphs(text, verbatim) {
  if (text === "") return [];
  const out = [];
  let quoted = null;
  let plain = [];
  const flush = () => {
    if (plain.length) out.push(lines(plain, verbatim));
    if (quoted) out.push(h("blockquote", {}, lines(quoted, verbatim)));
    plain = [];
    quoted = null;
  };
  const all = text.split("\n");
  for (let at = 0; at < all.length; at += 1) {
    const rest = all[at].match(/^(?:&gt;|>)(?:(&gt;&gt;|>>))? ?(.*)$/);
    if (!rest) {
      if (quoted) flush();
      plain.push(all[at]);
      continue;
    }
    if (!quoted) flush();
    quoted = [...(quoted ?? []), rest[2]];
    if (rest[1]) {
      quoted.push(...all.slice(at + 1)); // `>>>` quotes everything that follows
      break;
    }
  }
  flush();
  return out;
}

const BULLET = /^(\s*)(•|◦|▪︎|[-–] (?=\S)|\d{1,3}\. )/;

function lines(entries, verbatim) {
  const box = h("div", { class: "text", dir: "auto" });
  entries.forEach((line, index) => {
    const item = line.match(BULLET);
    if (item) {
      box.append(h("div", { class: "hanging", style: { "--in": String(Math.min(item[1].length, 12)) } }, inline(line.trimStart(), { verbatim })));
      return;
    }
    box.append(...inline(line, { verbatim }));
    const next = entries[index + 1];
    if (next !== undefined && !BULLET.test(next)) box.append(h("br"));
    else if (next !== undefined && line === "") box.append(h("br"));
  });
  return box;
}

/** Render one line. Linear in its length: a marker without a partner is looked for only once. */
export function inline(line, { verbatim = false, depth = 0 } = {}) {
  const nodes = [];
  const hopeless = new Set();
  let plain = "";
  let at = 0;
  const put = (node, length) => {
    if (plain) nodes.push(unescape(plain));
    plain = "";
    nodes.push(...[node].flat());
    at += length;
  };
  while (at < line.length) {
    const sign = line[at];
    const before = at === 0 ? "" : line[at - 1];
    if (sign === "<") {
      const found = sticky(REFERENCE, line, at);
      if (found) { put(reference(found[1], line.slice(0, at).trim() !== ""), found[0].length); continue; }
    } else if (sign === "`" && !hopeless.has("`")) {
      const end = line.indexOf("`", at + 1);
      if (end > at + 1) { put(h("code", {}, codeText(line.slice(at + 1, end))), end + 1 - at); continue; }
      if (end < 0) hopeless.add("`");
    } else if (STYLES[sign] && depth < DEEPEST && !hopeless.has(sign) && opens(line, at, before)) {
      const end = closing(line, at, sign);
      if (end < 0) hopeless.add(sign);
      else { put(h(STYLES[sign], {}, inline(line.slice(at + 1, end), { verbatim, depth: depth + 1 })), end + 1 - at); continue; }
    } else if (sign === ":") {
      const found = sticky(EMOJI_NAME, line, at);
      if (found && !/^\d+$/.test(found[1])) { put(emojiNode(found[1]), found[0].length); continue; }
    } else if (sign === "h" && !verbatim && !WORDLIKE.test(before)) {
      const found = sticky(BARE_LINK, line, at);
      if (found) { put(link(unescape(found[0]), unescape(found[0])), found[0].length); continue; }
    }
    plain += sign;
    at += 1;
  }
  if (plain) nodes.push(unescape(plain));
  return nodes;
}

function sticky(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function opens(line, at, before) {
  const next = line[at + 1];
  return next !== undefined && !/\s/.test(next) && next !== line[at] && !WORDLIKE.test(before) && before !== line[at];
}

function closing(line, at, sign) {
  let ticked = false;
  for (let end = at + 1; end < line.length; end += 1) {
    if (line[end] === "`") ticked = !ticked;
    if (line[end] !== sign || ticked || end === at + 1 || /\s/.test(line[end - 1])) continue;
    if (!WORDLIKE.test(line[end + 1] ?? "")) return end;
  }
  return -1;
}

/** What stands in angle brackets: a person, a channel, a group, a date, a link. */
function reference(inner, within) {
  const bar = inner.indexOf("|");
  const [target, label] = bar < 0 ? [inner, ""] : [inner.slice(0, bar), unescape(inner.slice(bar + 1))];
  if (/^@[UW]/.test(target)) return userNode(target.slice(1), label);
  if (/^#[CGD]/.test(target)) return channelNode(target.slice(1), label);
  if (target.startsWith("!date^")) return date(target, label, within);
  if (target.startsWith("!subteam^")) return groupNode(target.slice(9), label);
  if (target.startsWith("!")) return broadcastNode(target.slice(1).split("^")[0], label);
  const address = unescape(target);
  return link(address, label || address.replace(/^mailto:/, ""));
}

function date(target, fallback, within) {
  const [, seconds, template = "", ...address] = target.split("^");
  const node = dateNode(seconds, unescape(template), fallback, { within });
  return address.length ? link(unescape(address.join("^")), node) : node;
}

export function userNode(id, label = "") {
  const known = store.users.has(id);
  const words = `@${known ? nameOf(id) : label || id}`;
  const mine = id === store.as ? " mention-me" : "";
  return h("button", { type: "button", class: `mention${mine}`, data: { user: id } }, words);
}

export function channelNode(id, label = "") {
  const channel = store.channels.get(id);
  if (!channel && !label) return h("span", { class: "mention" }, "#private channel");
  return h("a", { href: `#${encodeURIComponent(id)}`, class: "mention" }, `#${channel?.name ?? label}`);
}

export function groupNode(id, label = "") {
  const handle = store.usergroups.get(id)?.handle ?? label.replace(/^@/, "");
  return h("span", { class: "mention" }, `@${handle || "group"}`);
}

export function broadcastNode(range, label = "") {
  const words = ["here", "channel", "everyone"].includes(range) ? range : (label || range).replace(/^@/, "");
  return h("span", { class: "mention mention-me" }, `@${words}`);
}

/** Return a message's text as its author would type it again. */
export function typedAgain(text) {
  return unescape(String(text).replace(/<([^<>\n]+)>/g, (whole, inner) => {
    const [target, label] = inner.split("|");
    if (target.startsWith("@")) return `@${store.users.get(target.slice(1))?.name ?? label ?? target.slice(1)}`;
    if (target.startsWith("#")) return `#${store.channels.get(target.slice(1))?.name ?? label ?? ""}`;
    if (target.startsWith("!subteam^")) return `@${store.usergroups.get(target.slice(9))?.handle ?? (label ?? "group").replace(/^@/, "")}`;
    if (target.startsWith("!date^")) return label ?? "";
    if (target.startsWith("!")) return `@${target.slice(1)}`;
    return label ?? target;
  }));
}
