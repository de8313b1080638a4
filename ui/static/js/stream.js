// The page's one stream of news: of the card it shows, of notifications, of reminders. A browser allows few connections to one
// place (six where it speaks HTTP/1.1), all tabs together, so only tabs that are seen have one; who comes back to a tab is told what was missed.

const HIDDEN_FOR = 3000; // milliseconds after which a tab that is no longer seen lets go
const listeners = [];
let card = null; // {path, after(): the position known}
let source = null;
let closing = 0;

// handlers: {event name: function(message)}; "open" and "error" are those of the stream itself.
export function hear(handlers) {
  listeners.push(handlers);
}

// The stream is of this card, too: `path` is its address, after() what is known of it by then.
export function hearCard(path, after) {
  card = { path, after };
}

function address() {
  const url = new URL(card?.path ?? "/api/live", location.href);
  if (card) url.searchParams.set("after", card.after());
  url.searchParams.set("notifications", "1");
  url.searchParams.set("reminders", "1");
  return url;
}

function open() {
  clearTimeout(closing);
  if (source) return;
  source = new EventSource(address());
  for (const handlers of listeners) for (const [name, handler] of Object.entries(handlers)) source.addEventListener(name, handler);
}

function close() {
  source?.close();
  source = null;
}

function follow() {
  clearTimeout(closing);
  if (document.visibilityState === "visible") open();
  else closing = setTimeout(close, HIDDEN_FOR);
}

export function startStream() {
  if (!listeners.length || !("EventSource" in window)) return;
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && follow());
  follow();
}
