// A scrolling list of messages that changes only where something changed.

import { h } from "./dom.js";
import { continues, isSystem, messageNode } from "./messages.js";
import { store } from "./store.js";
import { dateOf, dayWords, sameDay } from "./time.js";

const NEAR_END = 60;
const NEAR_START = 400;
const ABOVE_LINE = 8;

export class Timeline {
  /** `older` is called when the reader comes near the top, `atEnd` when the end comes into sight. */
  constructor(scroller, { inThread = false, older = null, atEnd = null } = {}) {
    Object.assign(this, { scroller, inThread, older, atEnd });
    this.list = h("div", { class: "timeline", role: "list" });
    this.items = new Map(); // ts → {node, message}
    this.order = [];
    this.stuck = true;
    scroller.append(this.list);
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // Whatever grows (an image, an opened menu, the composer), the end stays in sight if it was.
    this.watcher = new ResizeObserver(() => { if (this.stuck) this.toEnd(); });
    this.watcher.observe(this.list);
    this.watcher.observe(scroller);
    this.list.addEventListener("keydown", (event) => this.#walk(event));
  }

  /** Begin anew with these messages, oldest first. `unreadAfter` is where the new-message line goes. */
  reset(channel, messages, { unreadAfter = null } = {}) {
    Object.assign(this, { channel, unreadAfter, lineAt: null });
    this.items.clear();
    this.order = [];
    this.list.replaceChildren();
    const all = document.createDocumentFragment();
    for (const message of messages) {
      const item = this.#item(message);
      this.order.push(message.ts);
      all.append(item.node);
    }
    if (unreadAfter) this.lineAt = messages.find((m) => m.ts > unreadAfter && m.user !== store.as && !m.ephemeral && !isSystem(m))?.ts ?? null;
    this.list.append(all);
    this.order.forEach((ts, index) => this.#dress(index));
    this.stuck = true;
    this.toEnd();
    this.#toLine();
  }

  get size() { return this.order.length; }
  get first() { return this.order[0]; }
  get last() { return this.order.at(-1); }

  /** Add older messages above without moving what is in sight. */
  prepend(messages) {
    const fresh = messages.filter((message) => !this.items.has(message.ts));
    if (!fresh.length) return;
    const height = this.scroller.scrollHeight;
    const top = this.scroller.scrollTop;
    const all = document.createDocumentFragment();
    for (const message of fresh) all.append(this.#item(message).node);
    this.list.prepend(all);
    this.order.unshift(...fresh.map((message) => message.ts));
    for (let index = 0; index <= fresh.length && index < this.order.length; index += 1) this.#dress(index);
    this.scroller.scrollTop = top + this.scroller.scrollHeight - height;
  }

  /** Add or change one message. Returns whether it is new. */
  put(message) {
    const known = this.items.get(message.ts);
    if (known) {
      known.message = message;
      const index = this.order.indexOf(message.ts);
      this.#dress(index, true);
      if (index + 1 < this.order.length) this.#dress(index + 1);
      return false;
    }
    let index = this.order.length;
    while (index > 0 && this.order[index - 1] > message.ts) index -= 1;
    const { node } = this.#item(message);
    this.list.insertBefore(node, this.order[index] ? this.items.get(this.order[index]).node : null);
    this.order.splice(index, 0, message.ts);
    this.#dress(index);
    if (index + 1 < this.order.length) this.#dress(index + 1);
    if (this.stuck) this.toEnd();
    return true;
  }

  remove(ts) {
    const item = this.items.get(ts);
    if (!item) return;
    const index = this.order.indexOf(ts);
    item.node.remove();
    this.items.delete(ts);
    this.order.splice(index, 1);
    if (index < this.order.length) this.#dress(index);
  }

  /** Draw the line "New" above a message. */
  lineBefore(ts) {
    const old = this.lineAt;
    this.lineAt = ts;
    for (const each of [old, ts]) if (this.items.has(each)) this.#dress(this.order.indexOf(each));
  }

  toEnd() {
    const before = this.stuck;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.stuck = true;
    if (!before) this.atEnd?.(true);
  }

  /** Begin to read where the unread begins, not behind it; whoever is new here begins at what is pinned. */
  #toLine() {
    const line = this.items.get(this.#newcomer() ?? this.lineAt)?.node;
    if (!line) return;
    const above = line.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top - ABOVE_LINE;
    if (above >= 0) return;
    this.stuck = false;
    this.scroller.scrollTop += above;
  }

  /** The first pinned message, if this person came in after it and has read nothing yet. */
  #newcomer() {
    const unread = this.order.indexOf(this.lineAt);
    const said = (ts) => this.items.get(ts).message;
    const came = this.order.findLastIndex((ts, at) => at < unread && said(ts).subtype?.endsWith("_join") && said(ts).user === store.as);
    if (came < 0 || this.order.slice(came, unread).some((ts) => !isSystem(said(ts)))) return undefined;
    const pins = store.channels.get(this.channel)?.pins ?? [];
    return this.order.slice(0, came).find((ts) => pins.includes(ts));
  }

  /** Show a message from its beginning, if it is longer than the screen. Returns whether it is. */
  fromTop(ts) {
    const node = this.items.get(ts)?.node;
    if (!node || node.offsetHeight < this.scroller.clientHeight) return false;
    this.stuck = false;
    node.scrollIntoView({ block: "start" });
    return true;
  }

  /** Bring a message into sight and point at it. */
  reveal(ts) {
    const item = this.items.get(ts);
    if (!item) return false;
    this.stuck = false;
    item.node.scrollIntoView({ block: "center" });
    item.node.classList.add("flash");
    setTimeout(() => item.node.classList.remove("flash"), 2200);
    return true;
  }

  #item(message) {
    const item = { node: h("div", { class: "item", role: "listitem", data: { ts: message.ts } }), message, look: "" };
    this.items.set(message.ts, item);
    return item;
  }

  /** Set what depends on the neighbour above: author line, day divider, new-message line. */
  #dress(index, changed = false) {
    const item = this.items.get(this.order[index]);
    const before = index > 0 ? this.items.get(this.order[index - 1]).message : null;
    const date = dateOf(item.message.ts);
    const day = !this.inThread && (!before || !sameDay(dateOf(before.ts), date)) ? dayWords(date) : "";
    const fresh = this.lineAt === item.message.ts;
    const continued = !day && !fresh && continues(item.message, before) && !(this.inThread && index === 1);
    const look = `${day}|${fresh}|${continued}`;
    if (!changed && item.look === look) return;
    item.look = look;
    const held = item.node.contains(document.activeElement) ? document.activeElement.dataset.testid : null;
    item.node.replaceChildren(...[
      day && h("div", { class: "day", role: "separator", "aria-label": day }, h("span", {}, day)),
      fresh && h("div", { class: "new-line", role: "separator", testid: "new-line" }, h("span", {}, "New")),
      messageNode(item.message, this.channel, { continued, inThread: this.inThread }),
    ].filter(Boolean));
    if (held) item.node.querySelector(`[data-testid="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
    this.#entrance();
  }

  /** One message is in the tab order; arrow keys reach the others. */
  #entrance() {
    if (this.door?.isConnected) this.door.tabIndex = -1;
    this.door = this.items.get(this.last)?.node.querySelector("article");
    if (this.door) this.door.tabIndex = 0;
  }

  #walk(event) {
    const article = event.target.closest?.("article");
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || event.target !== article) return;
    const index = this.order.indexOf(article.parentElement.dataset.ts) + step;
    const next = this.items.get(this.order[index])?.node.querySelector("article");
    if (!next) return;
    event.preventDefault();
    article.tabIndex = -1;
    next.tabIndex = 0;
    this.door = next;
    next.focus();
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    const before = this.stuck;
    this.stuck = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.stuck !== before) this.atEnd?.(this.stuck);
    if (scrollTop < NEAR_START && scrollHeight > clientHeight) this.older?.();
  }
}
