// How many notifications are unread, in every tab. A card's own stream tells it; of the other pages one listens for all of
// them, since a browser allows few connections to one place.
import { word } from "./words.js";

const MOST = 100; // more are not counted
const channel = "BroadcastChannel" in window ? new BroadcastChannel("cronista-notifications") : null;

function show(unread) {
  const bell = document.querySelector("[data-bell]");
  if (!bell) return;
  const count = unread >= MOST ? `${MOST - 1}+` : unread ? String(unread) : "";
  const label = unread ? word("unread", count) : word("notifications");
  bell.dataset.bell = count;
  bell.querySelector("b").textContent = count;
  bell.querySelector("b").hidden = !count;
  bell.title = label;
  bell.setAttribute("aria-label", label);
}

// What a stream says is for all tabs.
export function hearBell(source) {
  source.addEventListener("notifications", (message) => {
    const { unread } = JSON.parse(message.data);
    show(unread);
    channel?.postMessage(unread);
  });
}

function listenForAll() {
  const source = new EventSource("/api/live?notifications=1");
  hearBell(source);
  addEventListener("pagehide", () => source.close(), { once: true });
}

// Who comes from a notification has read it.
function tellRead() {
  const at = new URL(location.href).searchParams.get("at");
  const csrf = document.querySelector("meta[name=csrf]")?.content;
  if (at && csrf) navigator.sendBeacon("/notifications/read", new URLSearchParams({ csrf, position: at }));
}

export function startBell() {
  if (!document.querySelector("[data-bell]")) return;
  if (channel) channel.onmessage = (message) => show(message.data);
  tellRead();
  if (document.querySelector("[data-live]") || !("EventSource" in window)) return;
  if (navigator.locks && channel) navigator.locks.request("cronista-notifications", () => (listenForAll(), new Promise(() => {})));
  else listenForAll();
}
