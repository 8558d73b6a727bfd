// What floats: popovers, menus, toasts and questions.

import { h, icon, iconButton } from "./dom.js";

const openBoxes = new WeakMap(); // anchor → its popover while it is shown
let pressed = null; // the anchor that was pressed while its popover was open

// The browser dismisses a popover on the press; the click that follows must not open it again.
document.addEventListener("pointerdown", (event) => {
  const anchor = event.target.closest?.('[aria-expanded="true"]');
  pressed = anchor && openBoxes.has(anchor) ? anchor : null;
}, true);

/** Show content beside an anchor until it is dismissed; a second click on the anchor closes it. */
export function popover(anchor, content, { label, role = "dialog", kind = "", onClose } = {}) {
  if (pressed === anchor || openBoxes.get(anchor)?.matches(":popover-open")) {
    pressed = null;
    if (openBoxes.get(anchor)?.matches(":popover-open")) openBoxes.get(anchor).hidePopover();
    return null;
  }
  const box = h("div", { class: `popover ${kind}`, popover: "auto", role, "aria-label": label }, content);
  // Outside an open dialog everything is inert, so a dialog's menus live inside of it.
  (anchor.closest("dialog") ?? document.body).append(box);
  box.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    // The event comes late: by now the anchor may show another one.
    const current = openBoxes.get(anchor) === box;
    if (current) openBoxes.delete(anchor);
    const hadFocus = box.contains(document.activeElement) || document.activeElement === document.body;
    if (current) anchor.setAttribute("aria-expanded", "false");
    box.remove();
    onClose?.();
    if (hadFocus && current && anchor.isConnected) anchor.focus({ preventScroll: true });
  });
  anchor.setAttribute("aria-expanded", "true");
  openBoxes.set(anchor, box);
  box.showPopover();
  place(box, anchor.getBoundingClientRect());
  (box.querySelector("[autofocus]") ?? box.querySelector("input, button, select, a"))?.focus({ preventScroll: true });
  return { box, close: () => box.isConnected && box.hidePopover(), again: () => place(box, anchor.getBoundingClientRect()) };
}

function place(box, anchor) {
  const gap = 6;
  const { offsetWidth: width, offsetHeight: height } = box;
  let left = anchor.left + width > innerWidth - gap ? anchor.right - width : anchor.left;
  left = Math.max(gap, Math.min(left, innerWidth - width - gap));
  const below = anchor.bottom + gap;
  const above = anchor.top - gap - height;
  const top = below + height <= innerHeight - gap || above < gap ? Math.min(below, innerHeight - height - gap) : above;
  box.style.left = `${left}px`;
  box.style.top = `${Math.max(gap, top)}px`;
}

/** A menu of `{label, icon, run, danger, testid, note}`. */
export function menu(anchor, items, label) {
  const list = h("div", { class: "menu" }, items.map((item) => h("button", {
    type: "button", role: "menuitem", class: `menu-item${item.danger ? " danger" : ""}`, testid: item.testid,
    on: { click: () => { shown?.close(); item.run(); } },
  }, item.icon && icon(item.icon, 16), h("span", {}, item.label, item.note && h("small", {}, item.note)))));
  list.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...list.children];
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
  });
  const shown = popover(anchor, list, { label, role: "menu" });
  return shown;
}

const LIFE = 7000;
let tray = null;

/** Say for a moment what went wrong (`kind` "error") or right ("done"). */
export function toast(words, kind = "error") {
  tray ??= document.body.appendChild(h("div", { class: "toasts", popover: "manual" }));
  const gone = () => {
    node.remove();
    if (!tray.children.length && tray.matches(":popover-open")) tray.hidePopover();
  };
  const node = h("div", { class: `toast ${kind}`, role: kind === "error" ? "alert" : "status", testid: "toast" },
    icon(kind === "error" ? "alert" : "check"), h("p", {}, words), iconButton("close", "Dismiss", gone));
  // Shown anew, it lies above a dialog that opened in the meantime.
  if (tray.matches(":popover-open")) tray.hidePopover();
  tray.append(node);
  tray.showPopover();
  while (tray.children.length > 3) tray.firstChild.remove();
  setTimeout(gone, LIFE);
}

/** Carry something out; a refusal becomes a toast. Returns undefined then. */
export async function attempt(promise) {
  try {
    return await promise;
  } catch (refused) {
    toast(refused.message || "That did not work.");
    return undefined;
  }
}

/** Ask before something is done. Nodes or words in, a promise of yes or no out. */
export function ask({ title, text, yes = "Yes", no = "Cancel", danger = false }) {
  return new Promise((resolve) => {
    const finish = (answer) => { dialog.close(); dialog.remove(); resolve(answer); };
    const dialog = h("dialog", { class: "dialog small", "aria-labelledby": "ask-title", testid: "confirm", on: { cancel: (e) => { e.preventDefault(); finish(false); } } },
      h("div", { class: "dialog-head" }, h("h2", { id: "ask-title" }, title)),
      h("div", { class: "dialog-body" }, text),
      h("div", { class: "dialog-foot" },
        h("button", { type: "button", class: "button", testid: "confirm-no", on: { click: () => finish(false) } }, no),
        h("button", { type: "button", class: `button ${danger ? "danger-solid" : "primary"}`, testid: "confirm-yes", autofocus: true, on: { click: () => finish(true) } }, yes)));
    document.body.append(dialog);
    dialog.showModal();
  });
}
