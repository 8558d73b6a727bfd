// Where people write: grows with its text, completes, sends.

import { post } from "./api.js";
import { Completion } from "./completion.js";
import { h, icon, iconButton } from "./dom.js";
import { characters } from "./emoji.js";
import { toast } from "./overlay.js";
import { pickEmoji } from "./picker.js";
import { store } from "./store.js";

const drafts = new Map();

export class Composer {
  /** `name` is the testid; `sent` is called when something went out. */
  constructor({ name, sendName = "send", sent }) {
    Object.assign(this, { name, sent, target: null, queue: Promise.resolve(), pending: 0 });
    this.area = h("textarea", { rows: "1", testid: name, dir: "auto", enterkeyhint: "send", autocomplete: "off", "aria-label": "Message", "aria-autocomplete": "list" });
    this.sendButton = iconButton("send", "Send", () => this.send(), { class: "icon-button send", testid: sendName });
    this.status = h("p", { class: "composer-status", role: "status" });
    const put = (text) => () => this.insert(text);
    const holdFocus = { mousedown: (event) => event.preventDefault() };
    const tools = h("div", { class: "composer-tools" },
      iconButton("slash", "Commands", () => this.begin("/"), { testid: `${name}-slash` }),
      iconButton("at", "Mention someone", put("@")),
      iconButton("smile", "Emoji", (event) => pickEmoji(event.currentTarget, (emoji) => this.insert(characters(emoji) ?? `:${emoji}:`))),
      this.status, this.sendButton);
    for (const tool of [...tools.querySelectorAll("button")].slice(0, 2)) for (const [key, handler] of Object.entries(holdFocus)) tool.addEventListener(key, handler);
    this.node = h("form", { class: "composer", on: { submit: (event) => { event.preventDefault(); this.send(); } } }, this.area, tools);
    this.completion = new Completion(this.area, this.node);
    this.area.addEventListener("input", () => this.#changed());
    this.area.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Write to another place; what was begun elsewhere is kept there. */
  aim(target, placeholder) {
    this.#keep();
    this.target = target;
    this.hold(false);
    this.area.placeholder = placeholder;
    this.area.setAttribute("aria-label", placeholder);
    this.set(drafts.get(this.#draftOf(target)) ?? "", false);
  }

  set(text, focus = true) {
    this.area.value = text;
    this.completion.hide();
    this.#changed(false);
    if (focus) this.focus();
  }

  /** Begin with a text and show what could follow. */
  begin(text) {
    this.area.value = text;
    this.focus();
    this.#changed();
  }

  insert(text) {
    this.focus();
    const { selectionStart: at, value } = this.area;
    const gap = text === "@" && at > 0 && !/\s/.test(value[at - 1]) ? " " : "";
    this.area.setRangeText(gap + text, at, this.area.selectionEnd, "end");
    this.#changed();
  }

  /** Between two places nothing can be written, or it would land in the wrong one. */
  hold(on) { this.area.readOnly = on; }

  focus() { this.area.focus({ preventScroll: true }); }

  send() {
    const text = this.area.value.trim();
    if (!text || !this.target || this.area.readOnly) return;
    const { target } = this;
    this.set("");
    drafts.delete(this.#draftOf(target));
    // Messages keep their order; a command may take seconds and holds nothing up.
    if (text.startsWith("/")) this.#deliver(target, text);
    else this.queue = this.queue.then(() => this.#deliver(target, text));
  }

  async #deliver(target, text) {
    const command = text.startsWith("/");
    this.#waiting(command ? 1 : 0);
    try {
      await post("send", { text, ...target });
      this.sent?.(target, text);
    } catch (refused) {
      toast(refused.message);
      // The words are given back, unless something new was begun meanwhile.
      if (this.target === target && !this.area.value) this.set(text);
      else if (!drafts.has(this.#draftOf(target))) drafts.set(this.#draftOf(target), text);
    } finally {
      this.#waiting(command ? -1 : 0);
    }
  }

  #waiting(change) {
    this.pending += change;
    this.status.textContent = this.pending ? `Waiting for ${store.bot.name ?? "the app"}…` : "";
  }

  #key(event) {
    if (event.isComposing) return;
    if (this.completion.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.send();
    }
  }

  #changed(complete = true) {
    // Colon names become their characters as soon as they are closed.
    const { selectionStart: at, value } = this.area;
    const named = complete && value.slice(0, at).match(/(?:^|\s):([a-z0-9_+'-]+):$/);
    const drawn = named && characters(named[1]);
    if (drawn) this.area.setRangeText(drawn, at - named[1].length - 2, at, "end");
    this.area.style.height = "auto";
    this.area.style.height = `${Math.min(this.area.scrollHeight, Math.round(innerHeight * 0.4))}px`;
    this.sendButton.disabled = !this.area.value.trim();
    this.sendButton.classList.toggle("ready", !this.sendButton.disabled);
    if (complete) this.completion.look();
    this.#keep();
  }

  #keep() {
    if (!this.target) return;
    if (this.area.value) drafts.set(this.#draftOf(this.target), this.area.value);
    else drafts.delete(this.#draftOf(this.target));
  }

  #draftOf(target) { return `${store.as}:${target.channel}:${target.thread_ts ?? ""}`; }
}

/** The bar that stands in the composer's place where one cannot write. */
export const closedBar = (words, button) => h("div", { class: "composer-closed" }, icon("eye"), h("p", {}, words), button);
