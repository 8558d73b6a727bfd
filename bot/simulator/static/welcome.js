// Three things to try, for somebody who has just opened the page.

import { h, icon, iconButton, link } from "./dom.js";
import { firstPlace, on, store } from "./store.js";
import { composer } from "./room.js";
import { openSamples } from "./samples.js";

const EXAMPLE = "declare sev2 Checkout answers with errors";
const box = () => document.getElementById("welcome");

const wasClosed = () => { try { return localStorage.getItem("tocsin.welcome") === "closed"; } catch { return false; } };
const remember = (value) => { try { localStorage.setItem("tocsin.welcome", value); } catch { /* private windows may refuse */ } };

let open = !wasClosed();
let asked = false; // somebody pressed "Things to try" here

export function startWelcome() {
  on("begin", draw);
  on("place", () => { asked = false; draw(); });
  on("show-welcome", () => { open = true; asked = true; remember("open"); draw(); box().querySelector("button, a")?.focus(); });
}

function draw() {
  const useful = store.commands.length || store.samples.length || store.links.length;
  // It stays where the page goes by itself and is not in the way elsewhere, least of all in an incident.
  const elsewhere = store.place?.id !== firstPlace() && !asked;
  box().hidden = !open || !useful || store.place?.kind === "home" || elsewhere;
  if (box().hidden) return;
  const command = store.commands[0]?.command;
  const step = (sign, title, words, act) => h("li", {}, h("span", { class: "welcome-sign" }, icon(sign, 20)), h("div", {}, h("h3", {}, title), h("p", {}, words)), act);
  const type = () => { composer.set(`${command} ${EXAMPLE}`); };
  box().replaceChildren(
    h("div", { class: "welcome-head" }, h("h2", {}, `Welcome to ${store.team.name} – three things to try`),
      iconButton("close", "Close the welcome", () => { open = false; remember("closed"); draw(); }, { testid: "welcome-close" })),
    h("ol", { class: "welcome-steps" }, [
      command && step("edit", "Declare an incident", ["Type ", h("b", {}, `${command} declare …`), " and what is wrong, in any channel."], h("button", { type: "button", class: "button small", testid: "welcome-declare", on: { click: type } }, "Type it for me")),
      store.samples.length > 0 && step("bell", "Fire a sample alert", "Your monitoring calls the bot, and the bot opens a room.", h("button", { type: "button", class: "button small", testid: "welcome-samples", "aria-haspopup": "dialog", on: { click: (event) => openSamples(event.currentTarget) } }, "Choose an alert")),
      store.links.length > 0 && step("external", "The outside view", "What everybody else sees meanwhile.", h("span", { class: "welcome-links" }, store.links.map((each) => link(each.url, each.title, { class: "button small" })))),
    ].filter(Boolean)));
}
