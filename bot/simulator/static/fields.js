// Text, number and date fields, and what a client itself would refuse in them.

import { h } from "./dom.js";
import { words } from "./texts.js";

const KEYS = { datepicker: "selected_date", timepicker: "selected_time", datetimepicker: "selected_date_time" };
const INITIAL = { datepicker: "initial_date", timepicker: "initial_time", datetimepicker: "initial_date_time" };
const TYPING_PAUSE = 400;

const pad = (number) => String(number).padStart(2, "0");

/** Seconds since the epoch as the reader's own wall clock, and back. */
const toLocal = (seconds) => {
  if (!seconds) return "";
  const d = new Date(seconds * 1000);
  return `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}T${pad(d.getHours())}:${pad(d.getMinutes())}`;
};
const fromLocal = (value) => (value ? Math.floor(new Date(value).getTime() / 1000) : null);

function field(element, block, context, node) {
  node.dataset.testid = `action-${element.action_id}`;
  for (const [key, value] of Object.entries(context.described ?? { "aria-label": words(element.placeholder) || "Text" })) {
    if (value) node.setAttribute(key, value);
  }
  if (element.placeholder) node.placeholder = words(element.placeholder);
  if (element.focus_on_load) node.autofocus = true;
  return node;
}

function typed(kind, props) {
  return (element, block, context) => {
    const key = kind === "rich_text_input" ? "rich_text_value" : "value";
    const state = context.state(block, element);
    const tall = element.multiline || kind === "rich_text_input";
    const node = field(element, block, context, tall ? h("textarea", { rows: "4", dir: "auto" }) : h("input", { type: "text", dir: "auto", autocomplete: "off", ...props?.(element) }));
    const initial = state ? state[key] : element.initial_value;
    node.value = (typeof initial === "object" ? plainOf(initial) : initial) ?? "";
    const read = () => ({ type: kind, [key]: kind === "rich_text_input" ? richOf(node.value) : node.value || null });
    const triggers = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
    const dispatch = () => context.use(block, element, read());
    const counter = element.max_length ? h("span", { class: "counter", "aria-live": "polite" }) : null;
    const count = () => {
      if (!counter) return;
      const left = element.max_length - [...node.value].length;
      counter.textContent = left < 0 ? `${-left} too many` : left <= Math.max(20, element.max_length / 10) ? `${left} left` : "";
      counter.classList.toggle("over", left < 0);
    };
    let timer = 0;
    node.addEventListener("input", () => {
      count();
      context.keep(block, element, read());
      clearTimeout(timer);
      if (block.dispatch_action && triggers.includes("on_character_entered")) timer = setTimeout(dispatch, TYPING_PAUSE);
    });
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing || (tall && !event.ctrlKey && !event.metaKey)) return;
      if (block.dispatch_action && triggers.includes("on_enter_pressed")) {
        event.preventDefault();
        dispatch();
      }
    });
    count();
    return counter ? h("div", { class: "counted" }, node, counter) : node;
  };
}

const plainOf = (rich) => (rich?.elements ?? []).flatMap((part) => part.elements ?? []).map((leaf) => leaf.text ?? leaf.url ?? "").join("");
const richOf = (text) => (text ? { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text }] }] } : null);

function picked(kind, type) {
  return (element, block, context) => {
    const state = context.state(block, element);
    const initial = state ? state[KEYS[kind]] : element[INITIAL[kind]];
    const both = kind === "datetimepicker";
    const node = field(element, block, context, h("input", { type }));
    node.value = (both ? toLocal(initial) : initial) ?? "";
    node.addEventListener("change", () => context.use(block, element, { type: kind, [KEYS[kind]]: both ? fromLocal(node.value) : node.value || null }));
    return node;
  };
}

export const FIELDS = {
  plain_text_input: typed("plain_text_input"),
  rich_text_input: typed("rich_text_input"),
  email_text_input: typed("email_text_input", () => ({ type: "email", inputmode: "email" })),
  url_text_input: typed("url_text_input", () => ({ type: "url", inputmode: "url" })),
  number_input: typed("number_input", (e) => ({ inputmode: e.is_decimal_allowed ? "decimal" : "numeric" })),
  datepicker: picked("datepicker", "date"),
  timepicker: picked("timepicker", "time"),
  datetimepicker: picked("datetimepicker", "datetime-local"),
};

/** What a Slack client itself refuses before the app hears of it, in words, or null. */
export function problem(element, state) {
  const value = state?.value;
  if (!value) return null;
  if (element.type === "email_text_input" && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value)) return "Please enter an e-mail address.";
  if (element.type === "url_text_input" && !/^https?:\/\/\S+\.?\S*$/i.test(value)) return "Please enter an address that starts with http:// or https://.";
  if (element.type === "number_input") {
    const shape = element.is_decimal_allowed ? /^-?\d+(\.\d+)?$/ : /^-?\d+$/;
    if (!shape.test(value.trim())) return element.is_decimal_allowed ? "Please enter a number." : "Please enter a whole number.";
    if (element.min_value !== undefined && Number(value) < Number(element.min_value)) return `Please enter ${element.min_value} or more.`;
    if (element.max_value !== undefined && Number(value) > Number(element.max_value)) return `Please enter ${element.max_value} or less.`;
  }
  return null;
}
