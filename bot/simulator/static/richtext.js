// rich_text blocks. https://docs.slack.dev/reference/block-kit/blocks/rich-text-block

import { h, link } from "./dom.js";
import { emojiNode } from "./emoji.js";
import { broadcastNode, channelNode, groupNode, userNode } from "./mrkdwn.js";
import { dateNode } from "./time.js";

const LEAVES = {
  text: (e) => e.text ?? "",
  link: (e) => link(e.url, e.text || e.url || ""),
  user: (e) => userNode(e.user_id),
  channel: (e) => channelNode(e.channel_id),
  usergroup: (e) => groupNode(e.usergroup_id),
  broadcast: (e) => broadcastNode(e.range ?? "here"),
  emoji: (e) => emojiNode(e.name ?? ""),
  date: (e) => {
    const node = dateNode(e.timestamp, e.format ?? "{date} {time}", e.fallback ?? "");
    return e.url ? link(e.url, node) : node;
  },
  color: (e) => h("code", {}, e.value ?? ""),
};
const STYLES = [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "del"], ["underline", "u"]];

function leaf(element) {
  let node = LEAVES[element?.type]?.(element) ?? element?.text ?? "";
  for (const [style, tag] of STYLES) if (element?.style?.[style]) node = h(tag, {}, node);
  return node;
}

const leaves = (part) => (Array.isArray(part.elements) ? part.elements : []).map(leaf);

const PARTS = {
  rich_text_section: (part) => h("div", { class: "text pre-wrap", dir: "auto" }, leaves(part)),
  rich_text_quote: (part) => h("blockquote", { class: "pre-wrap", dir: "auto" }, leaves(part)),
  rich_text_preformatted: (part) => h("pre", {}, h("code", {}, leaves(part))),
};

function list(part) {
  const tag = part.style === "ordered" ? "ol" : "ul";
  const indent = Math.min(Number(part.indent) || 0, 8);
  const start = tag === "ol" && Number(part.offset) > 0 ? Number(part.offset) + 1 : null;
  return h(tag, { class: "rich-list", start, style: { "--indent": String(indent) }, data: { indent } },
    (part.elements ?? []).map((item) => h("li", { class: "pre-wrap", dir: "auto" }, leaves(item))));
}

export function richText(block) {
  const parts = Array.isArray(block.elements) ? block.elements : [];
  return h("div", { class: "rich-text" }, parts.map((part) => (part?.type === "rich_text_list" ? list(part) : PARTS[part?.type]?.(part))));
}

/** How many emoji a message consists of, if of nothing else: those are shown large. */
export function onlyEmoji(blocks) {
  if (blocks?.length !== 1 || blocks[0].type !== "rich_text") return false;
  const inner = blocks[0].elements?.flatMap((part) => (part.type === "rich_text_section" ? part.elements : [{ type: "other" }])) ?? [];
  const solid = inner.filter((e) => e.type !== "text" || e.text.trim());
  const isEmoji = (e) => e.type === "emoji" || (e.type === "text" && /^(?:[\p{Extended_Pictographic}\p{Emoji_Component}\u200d\ufe0f\s])+$/u.test(e.text) && /\p{Extended_Pictographic}/u.test(e.text));
  return solid.length > 0 && solid.length <= 20 && solid.every(isEmoji);
}
