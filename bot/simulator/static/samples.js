// "Fire a sample alert": the workspace plays the monitoring, the bot answers.

import { post } from "./api.js";
import { announce, h, icon } from "./dom.js";
import { popover } from "./overlay.js";
import { on, store } from "./store.js";

const SOURCES = { alertmanager: "Alertmanager", pagerduty: "PagerDuty" };
const OUTCOMES = {
  opened: (it) => `Opened ${it}`, attached: (it) => `Added to ${it}`, updated: (it) => `Updated ${it}`,
  resolved: (it) => `Alert resolved in ${it}`, unchanged: () => "Nothing new: this was known already", ignored: () => "Ignored",
};
const results = new Map(); // sample id → {good, title, words}: kept while the page is open

export function startSamples(button) {
  button.addEventListener("click", () => openSamples(button));
  on("begin", () => { button.hidden = !store.samples.length; });
}

export function openSamples(anchor) {
  const shown = popover(anchor, [
    h("div", { class: "samples-head" }, h("h2", {}, "Fire a sample alert"), h("p", {}, "Plays your monitoring: a real webhook goes to the bot, and its answer is shown here.")),
    store.samples.length ? h("ul", { class: "samples" }, store.samples.map((sample) => entry(sample, () => shown?.again()))) : h("p", { class: "empty-note" }, "No sample alerts are set up."),
  ], { label: "Sample alerts", kind: "samples-panel" });
}

const wordsOf = (action) => {
  const words = action.replaceAll(/[_-]/g, " ");
  return { refire: "Fire again" }[action] ?? words.charAt(0).toUpperCase() + words.slice(1);
};

function entry(sample, moved) {
  const result = h("div", { class: "sample-result", role: "status", testid: `sample-result-${sample.id}` });
  const tell = () => {
    const said = results.get(sample.id);
    result.replaceChildren(...(said ? [h("p", { class: said.good ? "good" : "bad" }, icon(said.good ? "check" : "alert", 15), h("span", {}, h("b", {}, said.title), said.words && ` – ${said.words}`)), h("small", {}, said.status)] : []));
    moved();
  };
  const send = async (action, button) => {
    button.setAttribute("aria-busy", "true");
    try {
      const before = results.get(sample.id)?.opened;
      results.set(sample.id, inWords(await post("sample", { id: sample.id, action }), before));
    } catch (refused) {
      results.set(sample.id, { good: false, title: "Not sent", words: refused.message, status: "" });
    } finally {
      button.removeAttribute("aria-busy");
    }
    tell();
    announce(results.get(sample.id).title);
  };
  const node = h("li", { class: "sample" },
    h("div", { class: "sample-words" }, h("h3", {}, sample.title, h("span", { class: "badge" }, SOURCES[sample.source] ?? sample.source)), h("p", {}, sample.description)),
    h("div", { class: "sample-actions" }, (sample.actions ?? []).map((action, index) => h("button", {
      type: "button", class: `button small${index === 0 ? " primary" : ""}`, testid: `sample-${sample.id}-${action}`,
      "aria-label": `${wordsOf(action)}: ${sample.title}`, on: { click: (event) => send(action, event.currentTarget) },
    }, index === 0 && icon("bell", 14), h("span", { class: "button-words" }, wordsOf(action))))),
    result);
  queueMicrotask(tell);
  return node;
}

/** Put the bot's answer into words. `before` is the incident that this sample opened earlier. */
function inWords({ status, body }, before) {
  let answer = body;
  if (typeof body === "string") try { answer = JSON.parse(body); } catch { answer = null; }
  const line = `The bot answered ${status}`;
  if (status >= 200 && status < 300 && answer?.outcome) {
    const say = OUTCOMES[answer.outcome];
    const opened = answer.outcome === "opened" ? answer.incident : before;
    // A delivery that comes twice gets the answer that it got before.
    if (answer.outcome === "opened" && opened === before) return { good: true, opened, title: "Nothing new", words: `the same delivery got the same answer: ${opened}`, status: line };
    return { good: true, opened, title: say ? say(answer.incident ?? "an incident") : answer.outcome, words: answer.reason === answer.outcome ? "" : answer.reason ?? "", status: line };
  }
  const detail = answer?.reason ?? answer?.message ?? answer?.error ?? (typeof body === "string" ? body.slice(0, 300) : "");
  const good = status >= 200 && status < 300;
  return { good, title: good ? "Accepted" : status === 401 ? "Refused: not authorised" : status === 503 ? "Not saved, try again" : "Refused", words: String(detail ?? ""), status: line };
}
