// What this page knows, and who wants to hear when it changes.

const listeners = new Map();

export const store = {
  as: "", team: {}, me: null, bot: {}, users: new Map(), usergroups: new Map(), channels: new Map(),
  commands: [], completions: [], shortcuts: [], samples: [], links: [],
  rooms: new Map(), // channel id → {messages: Map(ts → message), hasMore}: only channels that were opened
  home: undefined,
  place: null, // {kind: "channel", id} or {kind: "home"}
  thread: null, // {channel, ts}
};

/** Hear of a topic; returns the way to stop. */
export function on(topic, hear) {
  if (!listeners.has(topic)) listeners.set(topic, new Set());
  listeners.get(topic).add(hear);
  return () => listeners.get(topic).delete(hear);
}

export function emit(topic, news) {
  for (const hear of listeners.get(topic) ?? []) hear(news);
}

const byId = (entries) => new Map((entries ?? []).map((entry) => [entry.id, entry]));

/** Take a whole new state in. */
export function begin(state) {
  Object.assign(store, {
    as: state.me.id, team: state.team, me: state.me, bot: state.bot ?? {},
    users: byId(state.users), usergroups: byId(state.usergroups), channels: byId(state.channels),
    commands: state.commands ?? [], completions: state.completions ?? [], shortcuts: state.shortcuts ?? [],
    samples: state.samples ?? [], links: state.links ?? [], rooms: new Map(), home: undefined,
  });
}

/** Whether a message stands in the channel itself and not only in a thread. */
export const inChannel = (m) => !m.thread_ts || m.thread_ts === m.ts || m.subtype === "thread_broadcast";

const TAKE = {
  message: heard, message_changed: heard, ephemeral: heard,
  message_deleted({ channel, ts }) {
    store.rooms.get(channel)?.messages.delete(ts);
    emit("message_deleted", { channel, ts });
  },
  channel({ channel }) {
    const known = store.channels.has(channel.id);
    store.channels.set(channel.id, channel);
    emit("channel", { channel, known });
  },
  channel_gone({ id }) {
    store.channels.delete(id);
    store.rooms.delete(id);
    emit("channel_gone", { id });
  },
  user({ user }) {
    store.users.set(user.id, user);
    emit("user", user);
  },
  home({ view }) {
    store.home = view;
    emit("home", view);
  },
  view: ({ view }) => emit("view", view),
  view_closed: ({ view_id }) => emit("view_closed", view_id),
};

function heard({ type, channel, message }) {
  const shown = type === "ephemeral" ? { ...message, ephemeral: true } : message;
  const room = store.rooms.get(channel);
  if (room && inChannel(shown) && (type !== "message_changed" || room.messages.has(shown.ts))) room.messages.set(shown.ts, shown);
  emit(type === "message_changed" ? "message_changed" : "message", { channel, message: shown, type });
}

/** Take one live event in. */
export function take(event) {
  TAKE[event.type]?.(event);
}

const SLACKBOT = { id: "USLACKBOT", name: "slackbot", real_name: "Slackbot", initials: "S", color: "5b5670", is_bot: true };

/** Return who wrote a message, as shown: a user, the app under another name, or a stranger. */
export function authorOf(message) {
  if (message.username) {
    return { id: `as:${message.username}`, real_name: message.username, name: message.username, initials: initialsOf(message.username), color: "4a3f8f", is_bot: true, icons: message.icons };
  }
  const known = store.users.get(message.user);
  if (known) return { ...known, icons: message.icons };
  if (message.user === "USLACKBOT") return SLACKBOT;
  if (message.bot_id) return store.users.get(store.bot.user_id) ?? { ...SLACKBOT, id: store.bot.user_id, real_name: store.bot.name ?? "App" };
  return { id: message.user ?? "?", name: message.user ?? "unknown", real_name: message.user ?? "Unknown", initials: "?", color: "6b6780" };
}

export const initialsOf = (name) => String(name).split(/\s+/).slice(0, 2).map((word) => [...word][0] ?? "").join("").toUpperCase() || "?";

export const nameOf = (id) => store.users.get(id)?.real_name || store.users.get(id)?.name || id;

/** Return a channel's name for people: a direct message is named after whom one talks to. */
export function titleOf(channel) {
  if (!channel.is_im) return channel.name;
  if (channel.user) return channel.user === store.as ? `${nameOf(channel.user)} (you)` : nameOf(channel.user);
  return channel.members.filter((id) => id !== store.as).map(nameOf).join(", ") || channel.name;
}

export const directWith = (user) => [...store.channels.values()].find((c) => c.is_im && c.user === user && (c.members.length <= 2));
export const currentChannel = () => (store.place?.kind === "channel" ? store.channels.get(store.place.id) : null);

/** Where the page goes by itself. */
export function firstPlace() {
  const open = [...store.channels.values()].filter((channel) => channel.is_member && !channel.is_im && !channel.is_archived);
  return (open.find((channel) => channel.name === "incidents") ?? open.find((channel) => channel.name === "general") ?? open[0])?.id ?? "home";
}
