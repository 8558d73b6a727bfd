// The app's modals: opened, pushed, updated and closed by it; filled in and submitted here.

import { post } from "./api.js";
import { blocks } from "./blocks.js";
import { announce, h, iconButton } from "./dom.js";
import { problem } from "./fields.js";
import { attempt, toast } from "./overlay.js";
import { currentChannel, on } from "./store.js";
import { words } from "./texts.js";

let stack = []; // {view, values}: the visible one last; values are what was entered here
let dialog = null;
let waiting = false;

export function startModals() {
  on("view", show);
  on("view_closed", (id) => drop(id));
  on("begin", () => { stack = []; draw(); });
}

function show(view) {
  const known = stack.findIndex((each) => each.view.id === view.id);
  if (known >= 0) {
    stack[known].view = view;
    stack.length = known + 1;
  } else {
    const under = stack.findIndex((each) => each.view.id === view.previous_view_id);
    stack = [...stack.slice(0, under + 1), { view, values: {} }];
  }
  draw();
}

function drop(id) {
  if (!stack.some((each) => each.view.id === id)) return;
  stack = stack.filter((each) => each.view.id !== id);
  draw();
}

const top = () => stack.at(-1);

function draw() {
  if (!top()) {
    dialog?.close();
    dialog?.remove();
    dialog = null;
    return;
  }
  const { view } = top();
  const again = dialog?.dataset.view === view.id;
  const held = again ? remember() : null;
  if (!dialog) {
    dialog = h("dialog", { class: "dialog modal", "aria-labelledby": "modal-title", testid: "modal", on: { cancel: (event) => { event.preventDefault(); close(); } } });
    document.body.append(dialog);
  }
  dialog.dataset.view = view.id;
  dialog.dataset.callback = view.callback_id ?? "";
  const content = h("div", { class: "dialog-body", tabindex: "-1" }, blocks(view.blocks, context(view)));
  dialog.replaceChildren(h("form", { novalidate: true, method: "dialog", on: { submit: (event) => { event.preventDefault(); submit(); } } },
    h("div", { class: "dialog-head" },
      stack.length > 1 && iconButton("back", "Back", () => close()),
      h("h2", { id: "modal-title" }, words(view.title) || "Form"),
      iconButton("close", "Close", () => close(true), { testid: "modal-close" })),
    content,
    h("div", { class: "dialog-foot" },
      h("button", { type: "button", class: "button", testid: "modal-cancel", on: { click: () => close() } }, words(view.close) || (view.submit ? "Cancel" : "Close")),
      view.submit && h("button", { type: "submit", class: "button primary", testid: "modal-submit" }, h("span", { class: "button-words" }, words(view.submit) || "Submit")))));
  if (!dialog.open) dialog.showModal();
  if (held) restore(held);
  else (content.querySelector("[autofocus]") ?? content.querySelector("input, textarea, select, button") ?? dialog.querySelector(".dialog-foot button")).focus();
  if (!again) announce(`${words(view.title)}, dialog`);
}

/** Keep the caret and the scroll position over an update by the app. */
function remember() {
  const node = dialog.contains(document.activeElement) ? document.activeElement : null;
  return {
    testid: node?.dataset.testid, block: node?.closest("[data-block]")?.dataset.block,
    from: node?.selectionStart ?? null, to: node?.selectionEnd ?? null, scroll: dialog.querySelector(".dialog-body")?.scrollTop ?? 0,
  };
}

function restore(held) {
  const place = held.block ? dialog.querySelector(`[data-block="${CSS.escape(held.block)}"]`) : dialog;
  const node = held.testid && place?.querySelector(`[data-testid="${CSS.escape(held.testid)}"]`);
  (node || dialog.querySelector(".dialog-body")).focus({ preventScroll: true });
  if (node && held.from !== null) try { node.setSelectionRange(held.from, held.to); } catch { /* not a text field */ }
  dialog.querySelector(".dialog-body").scrollTop = held.scroll;
}

function context(view) {
  const { values } = top();
  const keep = (block, element, value) => {
    (values[block.block_id] ??= {})[element.action_id] = value;
    mark(block.block_id, null);
  };
  const address = (block, element) => ({ view_id: view.id, block_id: block.block_id, action_id: element.action_id });
  return {
    channel: currentChannel()?.id,
    state: (block, element) => values[block.block_id]?.[element.action_id] ?? view.state?.values?.[block.block_id]?.[element.action_id] ?? null,
    keep,
    use: (block, element, value) => {
      if (value.type !== "button" && value.type !== "overflow") keep(block, element, value);
      return attempt(post("action", { ...address(block, element), value }));
    },
    options: (block, element, value) => post("options", { ...address(block, element), value }),
  };
}

/** Show (or with null: take away) what is wrong with a field, beside it. */
function mark(blockId, message) {
  const block = dialog?.querySelector(`[data-block="${CSS.escape(blockId)}"]`);
  if (!block) return false;
  const place = block.querySelector(".field-error");
  if (!message && place.hidden) return true;
  place.hidden = !message;
  place.textContent = message ?? "";
  block.classList.toggle("wrong", Boolean(message));
  block.querySelector("input, select, textarea")?.setAttribute("aria-invalid", String(Boolean(message)));
  return true;
}

function complain(errors) {
  const lost = Object.entries(errors).filter(([blockId, message]) => !mark(blockId, String(message)));
  for (const [, message] of lost) toast(String(message));
  dialog.querySelector(".wrong :is(input, select, textarea)")?.focus();
}

function entered() {
  const { view, values } = top();
  const all = structuredClone(view.state?.values ?? {});
  for (const [blockId, block] of Object.entries(values)) all[blockId] = { ...all[blockId], ...block };
  return all;
}

async function submit() {
  if (waiting || !top()?.view.submit) return;
  const { view } = top();
  const values = entered();
  const errors = {};
  for (const block of view.blocks) {
    if (block.type !== "input") continue;
    const wrong = problem(block.element, values[block.block_id]?.[block.element.action_id]);
    if (wrong) errors[block.block_id] = wrong;
  }
  if (Object.keys(errors).length) return complain(errors);
  hold(true);
  try {
    const answer = await post("submit", { view_id: view.id, values });
    if (answer.errors && Object.keys(answer.errors).length) complain(answer.errors);
    else if (answer.view) show(answer.view);
    else if (answer.closed) drop(view.id);
  } catch (refused) {
    if (refused.code === "view_not_found") drop(view.id);
    toast(refused.message);
  } finally {
    hold(false);
  }
  return undefined;
}

function hold(on) {
  waiting = on;
  const button = dialog?.querySelector('[data-testid="modal-submit"]');
  if (!button) return;
  button.setAttribute("aria-busy", String(on));
  button.disabled = on;
}

/** Dismiss the visible view; `everything` closes those beneath it as well. */
async function close(everything = false) {
  if (waiting) return;
  const leaving = everything ? [...stack].reverse() : [top()];
  for (const { view } of leaving.filter(Boolean)) {
    drop(view.id);
    await post("close", { view_id: view.id }).catch((refused) => refused.code === "view_not_found" || toast(refused.message));
  }
}
