// Completion while writing: commands, people, channels, emoji.

import { h } from "./dom.js";
import { EMOJI } from "./emoji.js";
import { store } from "./store.js";

const MOST = 8;
let count = 0;

const begins = (text, start) => String(text).toLowerCase().startsWith(start);

function people(start) {
  const fits = (user) => begins(user.name, start) || String(user.real_name).toLowerCase().split(/\s+/).some((word) => word.startsWith(start));
  const found = [...store.users.values()].filter((user) => !user.deleted && user.id !== "USLACKBOT" && fits(user))
    .map((user) => ({ text: `@${user.name}`, title: user.real_name, hint: user.id === store.as ? "you" : user.title || (user.is_bot ? "App" : "") }))
    .sort((a, b) => !begins(a.text, `@${start}`) - !begins(b.text, `@${start}`));
  const groups = [...store.usergroups.values()].filter((group) => begins(group.handle, start)).map((group) => ({ text: `@${group.handle}`, title: group.name, hint: "Group" }));
  const all = [["here", "Everyone who is here"], ["channel", "Everyone in this channel"]].filter(([word]) => start && word.startsWith(start)).map(([word, hint]) => ({ text: `@${word}`, title: `@${word}`, hint }));
  return [...found, ...groups, ...all];
}

const channels = (start) => [...store.channels.values()].filter((c) => !c.is_im && !c.is_archived && begins(c.name, start))
  .map((c) => ({ text: `#${c.name}`, title: `#${c.name}`, hint: c.topic || c.purpose || "" }));

const emoji = (start) => [...EMOJI.keys()].filter((name) => name.includes(start)).sort((a, b) => !begins(a, start) - !begins(b, start))
  .slice(0, MOST).map((name) => ({ text: EMOJI.get(name), title: `${EMOJI.get(name)}  :${name}:`, hint: "" }));

function commands(typed) {
  const known = store.commands.map((each) => ({ text: each.command, title: each.command, usage: each.usage_hint, hint: each.description, whole: true }));
  const main = store.commands[0]?.command ?? "";
  const more = store.completions.map((each) => {
    const text = each.text.startsWith("/") ? each.text : `${main} ${each.text}`;
    return { text, title: text, hint: each.hint, whole: true };
  });
  const wanted = typed.toLowerCase();
  return [...known, ...more].filter((each) => begins(each.text, wanted));
}

/** Return what could stand at the caret: `{items, from}`, where the completed part begins. */
function candidates(value, at) {
  const before = value.slice(0, at);
  const word = before.match(/(?:^|[\s(])([@#:])([\p{L}\p{N}_.+-]*)$/u);
  if (word) {
    const start = word[2].toLowerCase();
    const from = at - word[2].length - 1;
    if (word[1] === "@") return { items: people(start), from };
    if (word[1] === "#") return { items: channels(start), from };
    if (start.length >= 2) return { items: emoji(start), from };
  }
  if (/^\/[^\n]*$/.test(value) && at === value.length) return { items: commands(value), from: 0, command: true };
  return { items: [], from: at };
}

export class Completion {
  constructor(area, host) {
    this.area = area;
    this.id = `completion-${count += 1}`;
    this.list = h("ul", { class: "completion", role: "listbox", id: this.id, "aria-label": "Suggestions", hidden: true });
    host.append(this.list);
    area.setAttribute("aria-controls", this.id);
    area.addEventListener("blur", () => this.hide());
    this.items = [];
  }

  get open() { return !this.list.hidden; }

  look() {
    const found = candidates(this.area.value, this.area.selectionStart);
    this.items = found.items.slice(0, found.command ? 40 : MOST);
    this.from = found.from;
    this.command = Boolean(found.command);
    this.active = 0;
    this.moved = false;
    const typed = this.area.value.slice(this.from, this.area.selectionStart);
    // Nothing to say where the only suggestion is what stands there already.
    if (!this.items.length || (this.items.length === 1 && this.items[0].text === typed)) return this.hide();
    return this.#draw();
  }

  hide() {
    this.list.hidden = true;
    delete this.list.dataset.testid; // one page, two composers: the name is that of the open one
    this.area.removeAttribute("aria-activedescendant");
  }

  /** Whether a key was for the suggestions. */
  key(event) {
    if (!this.open) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      this.active = (this.active + step + this.items.length) % this.items.length;
      this.moved = true;
      this.#draw();
    } else if (event.key === "Escape") this.hide();
    else if (event.key === "Tab" && !event.shiftKey) this.#take(this.items[this.active]);
    else if (event.key === "Enter" && !event.shiftKey && this.#wanted()) this.#take(this.items[this.active]);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  /** Enter completes what was chosen or is half a word; a whole word is meant to be sent. */
  #wanted() {
    const typed = this.area.value.slice(this.from, this.area.selectionStart);
    if (this.moved) return this.items[this.active].text !== typed;
    const rest = this.items.map((item) => item.text.toLowerCase()).filter((text) => text.startsWith(typed.toLowerCase())).map((text) => text.slice(typed.length));
    if (/\s$/.test(typed)) return false;
    return !rest.some((part) => part === "" || /^\s/.test(part));
  }

  #take(item) {
    const at = this.area.selectionStart;
    this.area.setRangeText(`${item.text.trimEnd()} `, this.from, at, "end");
    this.area.dispatchEvent(new Event("input", { bubbles: true }));
    this.area.focus();
  }

  #draw() {
    this.list.replaceChildren(...this.items.map((item, index) => h("li", {
      role: "option", id: `${this.id}-${index}`, "aria-selected": String(index === this.active),
      on: { mousedown: (event) => { event.preventDefault(); this.#take(item); } },
    }, h("span", { class: "what" }, item.title, item.usage && h("span", { class: "usage" }, ` ${item.usage}`)), item.hint && h("span", { class: "note" }, item.hint))));
    this.list.hidden = false;
    this.list.dataset.testid = "completion";
    this.area.setAttribute("aria-activedescendant", `${this.id}-${this.active}`);
    this.list.children[this.active].scrollIntoView({ block: "nearest" });
  }
}
