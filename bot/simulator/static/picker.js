// The emoji picker.

import { h } from "./dom.js";
import { EMOJI, SHELVES } from "./emoji.js";
import { popover } from "./overlay.js";

const OFTEN = ["white_check_mark", "eyes", "+1", "rotating_light", "fire", "pray", "tada", "raised_hands"];
const MOST = 80;

/** Let somebody pick an emoji; `chosen` gets its short name. */
export function pickEmoji(anchor, chosen) {
  const take = (name) => { shown?.close(); chosen(name); };
  const cell = (name) => h("button", { type: "button", class: "emoji-cell", title: `:${name}:`, "aria-label": name.replaceAll("_", " "), testid: `emoji-${name}`, on: { click: () => take(name) } }, EMOJI.get(name));
  const shelf = (title, names) => [h("h3", {}, title), h("div", { class: "emoji-grid" }, names.map(cell))];
  const everything = () => [...shelf("Often used", OFTEN), ...SHELVES.flatMap(([title, names]) => shelf(title, names))];
  const grid = h("div", { class: "emoji-shelves" }, everything());
  const search = h("input", { type: "search", placeholder: "Search emoji", "aria-label": "Search emoji", autofocus: true, testid: "emoji-search", on: {
    input: () => {
      const wanted = search.value.trim().toLowerCase().replaceAll(" ", "_").replaceAll(":", "");
      const found = wanted ? [...EMOJI.keys()].filter((name) => name.includes(wanted)).slice(0, MOST) : null;
      grid.replaceChildren(...(found ? (found.length ? shelf("Found", found) : [h("p", { class: "empty-note" }, "No emoji of this name")]) : everything()));
    },
    keydown: (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      grid.querySelector(".emoji-cell")?.click();
    },
  } });
  const shown = popover(anchor, [search, grid], { label: "Pick an emoji", kind: "emoji-picker" });
}
