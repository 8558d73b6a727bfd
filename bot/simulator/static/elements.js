// Block Kit's interactive elements. https://docs.slack.dev/reference/block-kit/block-elements
//
// Each builder gets (element, block, context) and returns a node. The context says what is chosen
// (`state`), takes a choice (`use`, a promise) and, for external menus, fetches options (`options`).

import { h, icon, link, safeLink } from "./dom.js";
import { chooser } from "./chooser.js";
import { FIELDS } from "./fields.js";
import { inline } from "./mrkdwn.js";
import { menu } from "./overlay.js";
import { confirmed, words } from "./texts.js";

/** Show that something is under way and keep it from being done twice. */
async function busy(node, work) {
  if (node.getAttribute("aria-busy") === "true") return;
  node.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    node.removeAttribute("aria-busy");
  }
}

function button(element, block, context) {
  const address = element.url ? safeLink(element.url) : null;
  const style = { primary: " primary", danger: " danger" }[element.style] ?? "";
  const use = () => context.use(block, element, { type: "button", value: element.value });
  const props = {
    class: `button${style}`, testid: `action-${element.action_id}`, "aria-label": element.accessibility_label,
    on: { click: () => busy(node, () => confirmed(element, use)) },
  };
  const inside = [h("span", { class: "button-words" }, words(element.text)), address && icon("external", 14)];
  const node = address
    ? h("a", { ...props, href: address, target: "_blank", rel: "noopener noreferrer" }, inside)
    : h("button", { ...props, type: "button" }, inside);
  return node;
}

function overflow(element, block, context) {
  const open = () => menu(node, (element.options ?? []).map((option) => ({
    label: words(option.text), note: option.description && words(option.description),
    icon: option.url ? "external" : null, testid: `option-${option.value}`,
    run: () => {
      const address = option.url && safeLink(option.url);
      if (address) window.open(address, "_blank", "noopener");
      busy(node, () => confirmed(element, () => context.use(block, element, { type: "overflow", selected_option: option })));
    },
  })), "More actions");
  const node = h("button", {
    type: "button", class: "button square", "aria-label": "More actions", "aria-haspopup": "menu",
    testid: `action-${element.action_id}`, on: { click: open },
  }, icon("more"));
  return node;
}

let groups = 0;

function boxes(kind) {
  return (element, block, context) => {
    const state = context.state(block, element);
    const chosen = new Set(kind === "radio"
      ? [(state ? state.selected_option : element.initial_option)?.value]
      : ((state ? state.selected_options : element.initial_options) ?? []).map((option) => option.value));
    const name = `group-${groups += 1}`;
    const inputs = (element.options ?? []).map((option) => {
      const input = h("input", { type: kind, name, value: option.value, testid: `option-${option.value}` });
      input.checked = chosen.has(option.value);
      return [option, input];
    });
    let before = inputs.map(([, input]) => input.checked);
    const change = async () => {
      const picked = inputs.filter(([, input]) => input.checked).map(([option]) => option);
      const value = kind === "radio" ? { type: "radio_buttons", selected_option: picked[0] ?? null } : { type: "checkboxes", selected_options: picked };
      if (await confirmed(element, () => context.use(block, element, value))) before = inputs.map(([, input]) => input.checked);
      else inputs.forEach(([, input], index) => { input.checked = before[index]; });
    };
    return h("div", {
      class: "boxes", role: kind === "radio" ? "radiogroup" : "group", testid: `action-${element.action_id}`, on: { change }, ...context.described,
    }, inputs.map(([option, input]) => h("label", { class: "box" }, input, h("span", {},
      option.text?.type === "mrkdwn" ? inline(option.text.text) : words(option.text),
      option.description && h("small", {}, option.description.type === "mrkdwn" ? inline(option.description.text) : words(option.description))))));
  };
}

/** An image; one from elsewhere is only linked, so that nobody learns from a picture who read what. */
export function image(element, className = "image") {
  const address = safeLink(element.image_url ?? element.slack_file?.url);
  const instead = () => link(address, [icon("external", 14), element.alt_text || "Image"], { class: "image-missing" });
  if (!address || new URL(address).origin !== location.origin) return instead();
  const node = h("img", { class: className, src: address, alt: element.alt_text ?? "", loading: "lazy" });
  node.addEventListener("error", () => node.replaceWith(instead()), { once: true });
  return node;
}

const MENUS = Object.fromEntries(
  ["static_select", "external_select", "users_select", "channels_select", "conversations_select"].flatMap((kind) => [[kind, chooser], [`multi_${kind}`, chooser]]),
);

const ELEMENTS = { button, overflow, image: (element) => image(element, "image accessory-image"), radio_buttons: boxes("radio"), checkboxes: boxes("checkbox"), ...MENUS, ...FIELDS };

/** Build an element; one this page does not know is named instead of hidden. */
export function element(described, block, context) {
  const build = ELEMENTS[described?.type];
  if (!build) return h("span", { class: "unknown" }, `[${described?.type ?? "nothing"}]`);
  return build(described, block, context);
}
