// Select menus: a native select where the options are known, a search field where the app knows them.
// The "multi" kinds keep what was chosen as chips beside the same control.

import { h, iconButton } from "./dom.js";
import { store, titleOf } from "./store.js";
import { confirmed, words } from "./texts.js";

const PEOPLE = () => [...store.users.values()].filter((user) => !user.deleted && user.id !== "USLACKBOT");
const alphabetical = (a, b) => a.label.localeCompare(b.label);
const room = (channel) => ({ id: channel.id, label: `${channel.is_im ? "" : channel.is_private ? "🔒 " : "# "}${titleOf(channel)}` });

function conversations(element) {
  const allowed = element.filter?.include;
  const kind = (channel) => (channel.is_im ? (channel.user ? "im" : "mpim") : channel.is_private ? "private" : "public");
  return [...store.channels.values()]
    .filter((channel) => !channel.is_archived && (!allowed || allowed.includes(kind(channel))))
    .filter((channel) => !(element.filter?.exclude_bot_users && store.users.get(channel.user)?.is_bot))
    .map(room).sort(alphabetical);
}

// For each kind: the key of one choice, of several, and what there is to choose from.
const KINDS = {
  static_select: ["option", "options", null],
  external_select: ["option", "options", null],
  users_select: ["user", "users", () => PEOPLE().map((user) => ({ id: user.id, label: user.real_name || user.name })).sort(alphabetical)],
  channels_select: ["channel", "channels", () => [...store.channels.values()].filter((c) => !c.is_im && !c.is_private && !c.is_archived).map(room).sort(alphabetical)],
  conversations_select: ["conversation", "conversations", conversations],
};

const plainOption = ({ id, label }) => ({ value: id, text: { type: "plain_text", text: label } });

export function chooser(element, block, context) {
  const many = element.type.startsWith("multi_");
  const kind = element.type.replace("multi_", "");
  const [one, several, source] = KINDS[kind];
  const key = many ? `selected_${several}` : `selected_${one}`;
  const groups = source
    ? [{ options: source(element).map(plainOption) }]
    : element.option_groups ?? [{ options: element.options ?? [] }];
  const all = groups.flatMap((group) => group.options ?? []);
  const wrap = (chosen) => (source ? chosen?.value ?? null : chosen ?? null);
  const unwrap = (kept) => (source ? all.find((option) => option.value === kept) ?? (kept ? plainOption({ id: kept, label: kept }) : null) : kept);
  const state = context.state(block, element);
  const begin = state ? state[key] : element[`initial_${many ? several : one}`] ?? standard(element, context);
  let chosen = (many ? begin ?? [] : [begin]).map(unwrap).filter(Boolean);

  const commit = async (next) => {
    const before = chosen;
    chosen = next;
    const value = { type: element.type, [key]: many ? next.map(wrap) : wrap(next[0]) };
    if (!(await confirmed(element, () => context.use(block, element, value)))) chosen = before;
    show();
  };
  const pick = (option) => {
    if (!many) return commit(option ? [option] : []);
    if (!option || chosen.some((other) => other.value === option.value)) return show();
    if (element.max_selected_items && chosen.length >= element.max_selected_items) return show();
    return commit([...chosen, option]);
  };

  const chips = many ? h("div", { class: "chips" }) : null;
  const control = kind === "external_select" ? searching(element, block, context, pick) : native(element, groups, many, context, pick);
  const show = () => {
    chips?.replaceChildren(...chosen.map((option) => h("span", { class: "chip" }, words(option.text),
      iconButton("close", `Remove ${words(option.text)}`, () => commit(chosen.filter((other) => other !== option))))));
    control.show(chosen);
  };
  show();
  return h("div", { class: `chooser${many ? " many" : ""}` }, chips, control.node);
}

const standard = (element, context) => (element.default_to_current_conversation ? context.channel : undefined);

function native(element, groups, many, context, pick) {
  const all = new Map(groups.flatMap((group) => group.options ?? []).map((option) => [option.value, option]));
  const entry = (option) => {
    const note = option.description ? ` – ${words(option.description)}` : "";
    return h("option", { value: option.value }, words(option.text) + note);
  };
  const hollow = h("option", { value: "" }, words(element.placeholder) || (many ? "Add…" : "Choose an option"));
  // Only what may stay empty can be emptied again.
  hollow.disabled = !context.optional;
  hollow.hidden = !context.optional;
  const node = h("select", {
    testid: `action-${element.action_id}`, "aria-label": context.described ? null : words(element.placeholder) || "Choose an option",
    autofocus: element.focus_on_load, on: { change: () => pick(all.get(node.value) ?? null) }, ...context.described,
  }, hollow, groups.map((group) => (group.label ? h("optgroup", { label: words(group.label) }, (group.options ?? []).map(entry)) : (group.options ?? []).map(entry))));
  const show = (chosen) => {
    const value = many ? "" : chosen[0]?.value ?? "";
    if (value && !all.has(value)) {
      all.set(value, chosen[0]);
      node.append(entry(chosen[0]));
    }
    node.value = value;
    node.classList.toggle("is-empty", !value);
  };
  return { node, show };
}

let lists = 0;

function searching(element, block, context, pick) {
  const least = element.min_query_length ?? 3;
  const id = `options-${lists += 1}`;
  const list = h("ul", { class: "suggestions", role: "listbox", id, hidden: true });
  let options = [];
  let active = 0;
  let turn = 0;
  let settled = "";
  const hide = () => { list.hidden = true; node.setAttribute("aria-expanded", "false"); };
  const draw = (note) => {
    list.replaceChildren(...(note ? [h("li", { class: "note" }, note)] : options.map((option, index) => h("li", {
      role: "option", id: `${id}-${index}`, "aria-selected": String(index === active), testid: `option-${option.value}`,
      on: { mousedown: (event) => { event.preventDefault(); take(option); } },
    }, words(option.text), option.description && h("small", {}, words(option.description))))));
    list.hidden = false;
    node.setAttribute("aria-expanded", "true");
    node.setAttribute("aria-activedescendant", note ? "" : `${id}-${active}`);
  };
  const take = (option) => { hide(); pick(option); };
  const look = async () => {
    const asked = node.value.trim();
    if (asked.length < least) return draw(`Type ${least} or more characters to search`);
    const mine = turn += 1;
    draw("Searching…");
    try {
      const answer = await context.options(block, element, asked);
      if (mine !== turn || document.activeElement !== node) return undefined;
      options = answer.options ?? (answer.option_groups ?? []).flatMap((group) => group.options);
      active = 0;
      return draw(options.length ? "" : "Nothing found");
    } catch (refused) {
      return mine === turn ? draw(refused.message) : undefined;
    }
  };
  let timer = 0;
  const node = h("input", {
    type: "text", role: "combobox", autocomplete: "off", "aria-expanded": "false", "aria-controls": id, "aria-autocomplete": "list",
    placeholder: words(element.placeholder) || "Search", testid: `action-${element.action_id}`, ...context.described,
    on: {
      focus: () => { node.select(); look(); },
      blur: () => { hide(); turn += 1; if (!node.value && settled && context.optional) pick(null); else node.value = settled; },
      input: () => { clearTimeout(timer); timer = setTimeout(look, 200); },
      keydown: (event) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (event.key === "Escape" && !list.hidden) { event.stopPropagation(); event.preventDefault(); hide(); }
        else if (event.key === "Enter" && !list.hidden && options[active]) { event.preventDefault(); take(options[active]); }
        else if (step && options.length) { event.preventDefault(); active = (active + step + options.length) % options.length; draw(""); }
      },
    },
  });
  const show = (chosen) => {
    settled = element.type.startsWith("multi_") ? "" : words(chosen[0]?.text);
    node.value = settled;
  };
  return { node: h("div", { class: "searching" }, node, list), show };
}
