// What can be done with a message: built only for the one that is pointed at.

import { post } from "./api.js";
import { announce, h, iconButton } from "./dom.js";
import { EMOJI } from "./emoji.js";
import { typedAgain } from "./mrkdwn.js";
import { ask, attempt, menu } from "./overlay.js";
import { emit, store } from "./store.js";

let raised = null;

/** Put the toolbar on a message; there is only ever one. */
export function raiseToolbar(node, message, channel, inThread) {
  if (message.ephemeral || message.subtype === "tombstone" || raised?.parentElement === node) return;
  const room = store.channels.get(channel);
  if (!room || room.is_archived || !room.is_member) return;
  if (raised?.querySelector('[aria-expanded="true"]')) return;
  raised?.remove();
  const pinned = room.pins.includes(message.ts);
  const react = (name) => () => attempt(post("react", { channel, ts: message.ts, name, on: true }));
  raised = h("div", { class: "toolbar", role: "toolbar", "aria-label": "Message actions" },
    ["white_check_mark", "eyes"].map((name) => h("button", { type: "button", class: "icon-button quick", title: `React with :${name}:`, "aria-label": `React with ${name.replaceAll("_", " ")}`, on: { click: react(name) } }, EMOJI.get(name))),
    iconButton("smile", "Add a reaction", (event) => emit("pick-reaction", { anchor: event.currentTarget, channel, ts: message.ts }), { testid: "react" }),
    !inThread && iconButton("thread", "Reply in thread", () => emit("open-thread", { channel, ts: message.thread_ts ?? message.ts, focus: true }), { testid: "reply" }),
    iconButton("pin", pinned ? "Unpin from channel" : "Pin to channel", () => attempt(post("pin", { channel, ts: message.ts, on: !pinned })), { testid: "pin", "aria-pressed": String(pinned) }),
    iconButton("more", "More actions", (event) => more(event.currentTarget, node, message, channel), { testid: "more", "aria-haspopup": "menu" }));
  node.append(raised);
}

function more(anchor, node, message, channel) {
  const own = message.user === store.as && [undefined, null, "thread_broadcast"].includes(message.subtype);
  const shortcuts = store.shortcuts.filter((shortcut) => shortcut.type === "message").map((shortcut) => ({
    label: shortcut.name, note: store.bot.name, icon: "bolt", testid: `shortcut-${shortcut.callback_id}`,
    run: () => attempt(post("shortcut", { callback_id: shortcut.callback_id, channel, ts: message.ts })),
  }));
  const mine = own ? [
    { label: "Edit message", icon: "edit", testid: "edit", run: () => edit(node, message, channel) },
    { label: "Delete message…", icon: "trash", danger: true, testid: "delete", run: () => remove(message, channel) },
  ] : [];
  const copy = { label: "Copy text", icon: "bookmark", testid: "copy", run: () => navigator.clipboard?.writeText(typedAgain(message.text ?? "")).then(() => announce("Copied")) };
  menu(anchor, [...shortcuts, copy, ...mine], "Message actions");
}

async function remove(message, channel) {
  const yes = await ask({ title: "Delete message?", text: "It disappears for everyone. This cannot be undone.", yes: "Delete", danger: true });
  if (yes) attempt(post("delete", { channel, ts: message.ts }));
}

function edit(node, message, channel) {
  const content = node.querySelector(".content");
  const before = [...content.childNodes];
  const area = h("textarea", { class: "edit-area", rows: "2", "aria-label": "Edit your message", testid: "edit-text", value: typedAgain(message.text ?? "") });
  const stop = () => { content.classList.remove("editing"); content.replaceChildren(...before); };
  const save = async () => {
    const text = area.value.trim();
    if (!text || text === typedAgain(message.text ?? "")) return stop();
    if (await attempt(post("edit", { channel, ts: message.ts, text }))) stop();
    return undefined;
  };
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.stopPropagation(); stop(); }
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); save(); }
  });
  content.classList.add("editing");
  content.replaceChildren(area, h("div", { class: "edit-actions" },
    h("button", { type: "button", class: "button", on: { click: stop } }, "Cancel"),
    h("button", { type: "button", class: "button primary", testid: "edit-save", on: { click: save } }, "Save")));
  area.focus();
  area.setSelectionRange(area.value.length, area.value.length);
}
