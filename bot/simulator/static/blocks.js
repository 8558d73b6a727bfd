// Block Kit's layout blocks. https://docs.slack.dev/reference/block-kit/blocks

import { h } from "./dom.js";
import { element, image } from "./elements.js";
import { inline } from "./mrkdwn.js";
import { richText } from "./richtext.js";
import { textNodes, words } from "./texts.js";

function section(block, context) {
  const accessory = block.accessory && h("div", { class: "accessory" }, element(block.accessory, block, context));
  return h("div", { class: "block-section" },
    h("div", { class: "section-main" },
      block.text && h("div", { class: "section-text" }, textNodes(block.text)),
      block.fields && h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "field-cell" }, textNodes(field))))),
    accessory);
}

const contextElement = (part) => (part?.type === "image"
  ? image(part, "image context-image")
  : h("div", { class: "context-text" }, textNodes(part)));

let inputs = 0;

function input(block, context) {
  const id = `input-${inputs += 1}`;
  const described = { "aria-labelledby": `${id}-label`, "aria-describedby": `${id}-hint ${id}-error`, "aria-required": block.optional ? null : "true" };
  const optional = Boolean(block.optional);
  const inside = {
    ...context, described, optional,
    // What is entered waits for the submission; the app hears of it at once only if it asked to.
    use: (own, used, value) => { context.keep(own, used, value); return own.dispatch_action ? context.use(own, used, value) : Promise.resolve(); },
  };
  const control = element(block.element, block, inside);
  const focus = () => control.querySelector("input, select, textarea")?.focus() ?? control.focus?.();
  return h("div", { class: "block-input", data: { block: block.block_id } },
    h("label", { id: `${id}-label`, class: "input-label", on: { click: focus } }, words(block.label), optional && h("span", { class: "optional" }, " (optional)")),
    control,
    h("p", { id: `${id}-error`, class: "field-error", role: "alert", testid: `field-error-${block.block_id}`, hidden: true }),
    h("p", { id: `${id}-hint`, class: "hint", hidden: !block.hint }, words(block.hint)));
}

// The `markdown` block: headings, lists and code as mrkdwn would show them.
const markdown = (block, context) => section({ text: { type: "mrkdwn", text: String(block.text ?? "").replace(/\*\*(.+?)\*\*/g, "*$1*").replace(/^#{1,6} (.+)$/gm, "*$1*") } }, context);

const BLOCKS = {
  section, input, markdown,
  header: (block) => h("h3", { class: "block-header", dir: "auto" }, words(block.text)),
  divider: () => h("hr", { class: "block-divider" }),
  context: (block) => h("div", { class: "block-context" }, (block.elements ?? []).map(contextElement)),
  actions: (block, context) => h("div", { class: "block-actions" }, (block.elements ?? []).map((part) => element(part, block, context))),
  image: (block) => h("figure", { class: "block-image" }, block.title && h("figcaption", {}, words(block.title)), image(block)),
  rich_text: richText,
};

/** Render blocks. The context: see elements.js. */
export function blocks(list, context) {
  return (Array.isArray(list) ? list : []).map((block) => {
    const build = BLOCKS[block?.type];
    try {
      if (build) return build(block, context);
    } catch (failure) {
      // One malformed block must not take the whole message with it.
      console.error("block", block, failure);
    }
    return h("p", { class: "unknown" }, `[${block?.type ?? "unknown"} block]`);
  });
}

/** Legacy attachments: a coloured bar, its text and its blocks. */
export function attachments(list, context) {
  return (Array.isArray(list) ? list : []).map((part) => h("div", { class: "attachment", style: { "--bar": /^#?[0-9a-f]{6}$/i.test(part.color ?? "") ? `#${part.color.replace("#", "")}` : "var(--line-strong)" } },
    part.pretext && h("div", {}, inline(part.pretext)),
    part.title && h("strong", {}, inline(part.title)),
    part.blocks ? blocks(part.blocks, context) : textNodes({ type: "mrkdwn", text: part.text ?? part.fallback ?? "" })));
}
