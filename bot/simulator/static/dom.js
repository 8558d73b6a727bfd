// The only door to the DOM: elements are built from data, foreign text becomes text nodes.
// No function here (or anywhere in this page) parses a string as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Build an element. `props`: class, on {event: handler}, data {key: value}, style {…}, any attribute. */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props ?? {})) setProp(node, key, value);
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function setProp(node, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (key === "class") node.className = value;
  else if (key === "on") for (const [name, handler] of Object.entries(value)) node.addEventListener(name, handler);
  else if (key === "data") Object.assign(node.dataset, value);
  else if (key === "style") for (const [name, part] of Object.entries(value)) node.style.setProperty(name, part);
  else if (key === "testid") node.dataset.testid = value;
  else if (key === "value") node.value = value;
  else node.setAttribute(key, value === true ? "" : String(value));
}

const SHAPES = {
  hash: "M8 3 6.5 17M13.5 3 12 17M3.5 7.5h14M2.5 12.5h14",
  lock: "M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9",
  archive: "M3 4h14v4H3zM4.5 8v8h11V8M8 11.5h4",
  pin: "M7 3h6l-.7 5 2.7 3.2H5L7.7 8zM10 11.2V17",
  bookmark: "M5.5 3h9v14L10 13.5 5.5 17z",
  smile: "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15M7 8v.6M13 8v.6M6.8 11.8c1.6 2.4 4.8 2.4 6.4 0",
  thread: "M3 4h14v10H9.5L5.5 17v-3H3zM6.5 7.5h7M6.5 10.5h4.5",
  more: "M10 4.5v.1M10 10v.1M10 15.5v.1",
  edit: "M4 16l.7-3.4L13 4.3l2.7 2.7-8.3 8.3zM11.3 6l2.7 2.7",
  trash: "M4 6h12M8 6V3.5h4V6M5.5 6l.8 11h7.4l.8-11M8.5 9v5M11.5 9v5",
  send: "M3 10 17 3.5 13.5 17 10 11.5zM10 11.5 17 3.5",
  plus: "M10 4v12M4 10h12",
  bell: "M5 14V9a5 5 0 0 1 10 0v5l1.5 1.5h-13zM8.5 17.5h3",
  sun: "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1",
  moon: "M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5z",
  auto: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
  menu: "M3 5.5h14M3 10h14M3 14.5h14",
  close: "M5 5l10 10M15 5 5 15",
  down: "M5 7.5l5 5 5-5",
  back: "M12.5 4.5 7 10l5.5 5.5",
  people: "M7.5 4a2.8 2.8 0 1 0 0 5.6A2.8 2.8 0 0 0 7.5 4M2.5 16c.3-3 2-4.5 5-4.5s4.7 1.5 5 4.5zM13 4.5a2.5 2.5 0 0 1 0 4.8M14.5 11.8c1.8.6 2.8 2 3 4.2",
  at: "M13 10a3 3 0 1 1-6 0 3 3 0 0 1 6 0v1.2a2 2 0 0 0 4 0V10a7 7 0 1 0-2.7 5.5",
  slash: "M3.5 3.5h13v13h-13zM12 6.5l-4 7",
  home: "M3 9.5 10 3.5l7 6M5 8.5V16.5h10V8.5M8.5 16.5v-4.5h3v4.5",
  eye: "M2.5 10S5 5 10 5s7.5 5 7.5 5-2.5 5-7.5 5-7.5-5-7.5-5M10 7.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4",
  external: "M8 4H4v12h12v-4M11.5 3.5h5v5M16.5 3.5 9 11",
  alert: "M10 3 18 16.5H2zM10 8v4M10 14.3v.1",
  check: "M4 10.5l4 4 8-9",
  sparkle: "M10 2.5l1.8 5.7 5.7 1.8-5.7 1.8L10 17.5l-1.8-5.7L2.5 10l5.7-1.8z",
  bolt: "M11 2.5 4.5 11.5H9.5L8.5 17.5 15.5 8.5H10.5z",
  user: "M10 3.5a3.3 3.3 0 1 0 0 6.6 3.3 3.3 0 0 0 0-6.6M3.5 17c.4-3.6 2.7-5.3 6.5-5.3s6.1 1.7 6.5 5.3",
};

/** Return one of the page's own line drawings; it is decoration, the words stand beside it. */
export function icon(name, size = 18) {
  const svg = document.createElementNS(SVG, "svg");
  const attributes = { viewBox: "0 0 20 20", width: size, height: size, class: `icon icon-${name}`, "aria-hidden": "true" };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name] ?? SHAPES.more);
  svg.append(path);
  return svg;
}

/** A button with a drawing and a name for those who do not see it. */
export function iconButton(name, label, onclick, props = {}) {
  return h("button", { type: "button", class: "icon-button", title: label, "aria-label": label, on: { click: onclick }, ...props }, icon(name));
}

/** Return an address only if following it is harmless. */
export function safeLink(address, origin = location.origin) {
  try {
    const url = new URL(String(address), origin);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** A link for foreign addresses; without a harmless address only its words remain. */
export function link(address, children, props = {}) {
  const href = safeLink(address);
  if (!href) return h("span", {}, children);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer", ...props }, children);
}

let announcer = null;
let forget = 0;
/** Say something to screen readers without moving focus. */
export function announce(words) {
  announcer ??= document.getElementById("announcer");
  announcer.textContent = "";
  // A fresh text node in a later task is what makes repeated words be read again.
  setTimeout(() => { announcer.textContent = words; }, 30);
  clearTimeout(forget);
  forget = setTimeout(() => { announcer.textContent = ""; }, 1500);
}
