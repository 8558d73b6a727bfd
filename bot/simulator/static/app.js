// The page begins here: who acts, where they are, and the line that keeps everything current.

import { Live, actAs, get, post } from "./api.js";
import { h, icon } from "./dom.js";
import { profile, startHeader } from "./header.js";
import { openHome, startHome } from "./home.js";
import { avatar } from "./messages.js";
import { startModals } from "./modal.js";
import { attempt, toast } from "./overlay.js";
import { pickEmoji } from "./picker.js";
import { unpressed } from "./press.js";
import { composer, openRoom, reveal, startRoom } from "./room.js";
import { startSamples } from "./samples.js";
import { startSidebar } from "./sidebar.js";
import { begin, currentChannel, emit, firstPlace, on, store, take, titleOf } from "./store.js";
import { startTheme } from "./theme.js";
import { closeThread, startThread } from "./thread.js";
import { startWelcome } from "./welcome.js";

const FIRST_PERSON = "U0001";
const RETRY = 1500;
const byId = (id) => document.getElementById(id);

let live = null;
let round = 0;

function chosenPerson() {
  const asked = new URLSearchParams(location.search).get("as");
  try { return asked || sessionStorage.getItem("tocsin.as") || FIRST_PERSON; } catch { return asked || FIRST_PERSON; }
}

/** Become somebody: everything is read anew, and what was open for the other is gone. */
async function become(user) {
  const mine = round += 1;
  live?.close();
  actAs(user);
  emit("between", true);
  byId("shell").setAttribute("aria-busy", "true");
  delete document.body.dataset.ready;
  let state;
  try {
    state = await get("state");
  } catch (refused) {
    if (mine !== round) return;
    if (refused.code === "unknown_person" && user !== FIRST_PERSON) {
      become(FIRST_PERSON);
      return;
    }
    connection("reconnecting", refused.message);
    setTimeout(() => mine === round && become(user), RETRY);
    return;
  }
  if (mine !== round) return;
  begin(state);
  keepPerson(store.as);
  people();
  byId("team-name").textContent = store.team.name;
  byId("team-mark").textContent = [...(store.team.name ?? "?")][0];
  emit("begin");
  live = new Live(store.as, state.seq, { onEvent, onState: connection });
  await go(locationPlace(), { replace: true });
  byId("shell").removeAttribute("aria-busy");
  document.body.dataset.ready = store.as;
}

function keepPerson(user) {
  const url = new URL(location.href);
  url.searchParams.set("as", user);
  history.replaceState(history.state, "", url);
  try { sessionStorage.setItem("tocsin.as", user); } catch { /* private windows may refuse */ }
}

function people() {
  const humans = [...store.users.values()].filter((user) => !user.is_bot && !user.deleted && user.id !== "USLACKBOT");
  byId("act-as").replaceChildren(...humans.map((user) => h("option", { value: user.id }, user.real_name)));
  byId("act-as").value = store.as;
  byId("act-as-face").replaceChildren(avatar(store.me, "small"));
}

function onEvent(event) {
  const mine = round;
  unpressed(() => {
    if (mine !== round) return;
    if (event.type === "reload") become(store.as);
    else take(event);
  });
}

function connection(state, words = "") {
  const node = byId("connection");
  node.hidden = state === "live";
  if (!node.hidden) node.replaceChildren(h("span", { class: "spinner", "aria-hidden": "true" }), h("span", {}, words ? `Reconnecting… ${words}` : "Reconnecting…"));
}

// -- places ----------------------------------------------------------------------------------

const locationPlace = () => decodeURIComponent(location.hash.slice(1));

/** Go to a channel by id, or `home`. */
async function go(wanted, { replace = false } = {}) {
  const known = wanted === "home" || store.channels.has(wanted);
  if (!known && wanted && !replace) toast("You cannot see this channel.");
  const id = known ? wanted : replace || !store.place ? firstPlace() : null;
  if (!id) return;
  if (store.thread && store.thread.channel !== id) closeThread();
  const url = new URL(location.href);
  url.hash = id;
  if (replace || url.href === location.href) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
  store.place = id === "home" ? { kind: "home" } : { kind: "channel", id };
  const home = id === "home";
  byId("home").hidden = !home;
  byId("channel").hidden = home;
  drawer(false);
  emit("place", store.place);
  if (home) await openHome();
  else await openRoom(currentChannel());
}

function title() {
  const channel = currentChannel();
  const waiting = [...store.channels.values()].reduce((sum, each) => sum + (each.mentions ?? 0), 0);
  const where = channel ? (channel.is_im ? titleOf(channel) : `#${channel.name}`) : store.bot.name;
  document.title = `${waiting ? `(${waiting}) ` : ""}${where} · ${store.team.name}`;
}

function drawer(open) {
  document.body.classList.toggle("drawer-open", open);
  byId("sidebar-open").setAttribute("aria-expanded", String(open));
  byId("shade").hidden = !open;
  if (open) byId("sidebar").querySelector('[aria-current="page"], a')?.focus();
}

// -- beginning -------------------------------------------------------------------------------

byId("sidebar-open").append(icon("menu"));
byId("samples").append(icon("bell", 16), h("span", {}, "Fire a sample alert"));
byId("sidebar-open").addEventListener("click", () => drawer(!document.body.classList.contains("drawer-open")));
byId("shade").addEventListener("click", () => drawer(false));
byId("sidebar").addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.classList.contains("drawer-open")) { drawer(false); byId("sidebar-open").focus(); }
});
byId("act-as").addEventListener("change", () => become(byId("act-as").value));
document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); composer.focus(); });
addEventListener("hashchange", () => { if (store.me) go(locationPlace()); });
document.addEventListener("click", (event) => {
  const named = event.target.closest?.("button[data-user]");
  if (named) profile(named, named.dataset.user);
});
on("go", go);
for (const topic of ["place", "channel", "channel_gone", "begin"]) on(topic, title);
on("reveal", ({ ts, thread }) => (thread && thread !== ts ? emit("open-thread", { channel: store.place.id, ts: thread }) : reveal(ts)));
on("channel_gone", ({ id }) => { if (store.place?.id === id) go(firstPlace(), { replace: true }); });
on("pick-reaction", ({ anchor, channel, ts }) => pickEmoji(anchor, (name) => attempt(post("react", { channel, ts, name, on: true }))));
on("user", () => people());

startTheme(byId("theme"));
startSidebar();
startHeader();
startRoom();
startThread();
startModals();
startHome();
startSamples(byId("samples"));
startWelcome();
become(chosenPerson());
