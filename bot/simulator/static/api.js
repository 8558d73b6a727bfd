// The page's side of PROTOCOL.md: requests, and the live line that heals itself.

export class Refused extends Error {
  constructor(code, words) {
    super(words);
    this.code = code;
  }
}

let acting = "";
/** Name the person in whose name everything is asked from now on. */
export const actAs = (user) => { acting = user; };

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Refused("offline", "The workspace cannot be reached. Is it still running?");
  }
  const body = await answer.json().catch(() => null);
  if (!answer.ok || body === null || body.ok === false) {
    const words = body?.message ?? `The workspace answered ${answer.status}${body?.error ? `: ${body.error}` : ""}.`;
    throw new Refused(body?.error ?? String(answer.status), words);
  }
  return body;
}

/** Read: `get("messages", {channel})`. */
export function get(what, query = {}) {
  const params = new URLSearchParams({ as: acting, ...query });
  return ask(`/simulator/${what}?${params}`);
}

/** Act: `post("send", {channel, text})`. */
export function post(act, body = {}) {
  return ask(`/simulator/${act}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ as: acting, ...body }),
  });
}

const FIRST_WAIT = 400;
const LONGEST_WAIT = 8000;

/** The WebSocket of one person: reconnects for ever and asks for what it missed. */
export class Live {
  constructor(user, after, { onEvent, onState }) {
    Object.assign(this, { user, after, onEvent, onState, wait: FIRST_WAIT, closed: false });
    this.wake = () => this.#now();
    addEventListener("online", this.wake);
    this.#open();
  }

  #open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const query = new URLSearchParams({ as: this.user, after: this.after });
    const socket = new WebSocket(`${scheme}://${location.host}/simulator/live?${query}`);
    this.socket = socket;
    socket.onopen = () => { this.wait = FIRST_WAIT; this.onState("live"); };
    socket.onmessage = (frame) => this.#take(frame.data);
    socket.onclose = () => {
      if (this.closed || this.socket !== socket) return;
      this.onState("reconnecting");
      this.timer = setTimeout(() => this.#open(), this.wait * (0.75 + Math.random() / 2));
      this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    };
  }

  #take(data) {
    if (this.closed) return;
    let event;
    try { event = JSON.parse(data); } catch { return; }
    if (event.type !== "reload" && event.seq <= this.after) return;
    this.after = event.seq ?? this.after;
    this.onEvent(event);
  }

  #now() {
    if (this.closed || this.socket.readyState <= WebSocket.OPEN) return;
    clearTimeout(this.timer);
    this.#open();
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    removeEventListener("online", this.wake);
    this.socket.close();
  }
}
