// App Home: what the app shows one person alone.

import { get, post } from "./api.js";
import { blocks } from "./blocks.js";
import { h, icon } from "./dom.js";
import { attempt } from "./overlay.js";
import { on, store } from "./store.js";

let kept = {};

export function startHome() {
  on("home", () => draw());
  on("begin", () => { kept = {}; });
}

const pane = () => document.getElementById("home");

export async function openHome() {
  if (store.home === undefined) pane().replaceChildren(h("p", { class: "empty-note", role: "status" }, "Loading…"));
  const answer = await attempt(get("home"));
  if (!answer) return;
  // What the app publishes on being opened may have come in before this answer.
  if (answer.view || store.home === undefined) store.home = answer.view;
  draw();
}

function draw() {
  const view = store.home;
  if (!view) {
    pane().replaceChildren(h("div", { class: "empty" }, icon("home", 40), h("h2", {}, `Nothing here yet`), h("p", {}, `${store.bot.name ?? "The app"} has not published anything for you.`)));
    return;
  }
  const address = (block, element) => ({ view_id: view.id, block_id: block.block_id, action_id: element.action_id });
  const keep = (block, element, value) => { (kept[block.block_id] ??= {})[element.action_id] = value; };
  const held = pane().contains(document.activeElement) ? document.activeElement.dataset.testid : null;
  pane().replaceChildren(h("div", { class: "home-view" }, blocks(view.blocks, {
    state: (block, element) => kept[block.block_id]?.[element.action_id] ?? view.state?.values?.[block.block_id]?.[element.action_id] ?? null,
    keep,
    use: (block, element, value) => attempt(post("action", { ...address(block, element), value })),
    options: (block, element, value) => post("options", { ...address(block, element), value }),
  })));
  if (held) pane().querySelector(`[data-testid="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
}
