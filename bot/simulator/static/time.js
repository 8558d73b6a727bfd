// Times in the reader's own zone, as Slack words them.

const format = (options) => new Intl.DateTimeFormat(undefined, options);
const CLOCK = format({ hour: "numeric", minute: "2-digit" });
const CLOCK_SECONDS = format({ hour: "numeric", minute: "2-digit", second: "2-digit" });
const SHORT = format({ month: "short", day: "numeric" });
const MEDIUM = format({ month: "long", day: "numeric" });
const MEDIUM_YEAR = format({ month: "long", day: "numeric", year: "numeric" });
const SHORT_YEAR = format({ month: "short", day: "numeric", year: "numeric" });
const LONG = format({ weekday: "long", month: "long", day: "numeric", year: "numeric" });
const DAY = format({ weekday: "long", month: "long", day: "numeric" });
const FULL = format({ weekday: "long", month: "long", day: "numeric", year: "numeric", hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short" });

export const dateOf = (ts) => new Date(Number.parseFloat(ts) * 1000);
export const clock = (date) => CLOCK.format(date);
export const full = (date) => FULL.format(date);
export const sameDay = (a, b) => a.toDateString() === b.toDateString();

function pretty(date, otherwise) {
  const today = new Date();
  const shifted = (days) => new Date(today.getFullYear(), today.getMonth(), today.getDate() + days);
  if (sameDay(date, today)) return "Today";
  if (sameDay(date, shifted(-1))) return "Yesterday";
  if (sameDay(date, shifted(1))) return "Tomorrow";
  return otherwise.format(date);
}

/** The words on a day divider. */
export const dayWords = (date) => pretty(date, date.getFullYear() === new Date().getFullYear() ? DAY : LONG);

const STEPS = [[60, "second"], [3600, "minute"], [86400, "hour"], [604800, "day"], [2629800, "week"], [31557600, "month"], [Infinity, "year"]];
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

export function ago(date) {
  const seconds = (date.getTime() - Date.now()) / 1000;
  const size = Math.abs(seconds);
  let unit = 1;
  for (const [until, name] of STEPS) {
    if (size < until) return RELATIVE.format(Math.round(seconds / unit), name);
    unit = until;
  }
  return RELATIVE.format(Math.round(seconds / unit), "year");
}

const thisYear = (date) => date.getFullYear() === new Date().getFullYear();
const pad = (number) => String(number).padStart(2, "0");
// https://docs.slack.dev/messaging/formatting-message-text#date-formatting
const TOKENS = {
  date_num: (d) => `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`,
  date_slash: (d) => `${d.getFullYear()}/${pad(d.getMonth() + 1)}/${pad(d.getDate())}`,
  date: (d) => MEDIUM_YEAR.format(d),
  date_short: (d) => SHORT_YEAR.format(d),
  date_long: (d) => LONG.format(d),
  date_pretty: (d) => pretty(d, thisYear(d) ? MEDIUM : MEDIUM_YEAR),
  date_short_pretty: (d) => pretty(d, thisYear(d) ? SHORT : SHORT_YEAR),
  date_long_pretty: (d) => pretty(d, LONG),
  day_divider_pretty: (d) => dayWords(d),
  time: (d) => CLOCK.format(d),
  time_secs: (d) => CLOCK_SECONDS.format(d),
  ago,
};

function words(date, template, within = false) {
  return template.replace(/\{(\w+)\}/g, (whole, name, at) => {
    const said = TOKENS[name]?.(date) ?? whole;
    // Within a sentence "today" is not a name.
    return (within || at > 0) && /^(Today|Yesterday|Tomorrow)$/.test(said) ? said.toLowerCase() : said;
  });
}

/** A `<time>` for Slack's date format; the fallback stands where the number is none. */
export function dateNode(seconds, template, fallback, { within = false } = {}) {
  const date = new Date(Number(seconds) * 1000);
  if (!Number.isFinite(Number(seconds)) || Number.isNaN(date.getTime())) return document.createTextNode(fallback || "");
  const node = document.createElement("time");
  node.dateTime = date.toISOString();
  node.title = full(date);
  node.textContent = words(date, template, within) || fallback;
  if (template.includes("{ago}")) {
    node.dataset.within = within ? "yes" : "";
    node.dataset.ago = template;
    node.dataset.at = String(seconds);
  }
  return node;
}

// "3 minutes ago" would otherwise stay true for ever.
setInterval(() => {
  for (const node of document.querySelectorAll("time[data-ago]")) {
    const said = words(new Date(Number(node.dataset.at) * 1000), node.dataset.ago, Boolean(node.dataset.within));
    if (node.textContent !== said) node.textContent = said;
  }
}, 15000);
