// How many notifications are unread, in every tab that is seen.
import { hear } from "./stream.js";
import { word } from "./words.js";

const MOST = 100; // more are not counted

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

// Who comes from a notification has read it.
function tellRead() {
  const at = new URL(location.href).searchParams.get("at");
  const csrf = document.querySelector("meta[name=csrf]")?.content;
  if (at && csrf) navigator.sendBeacon("/notifications/read", new URLSearchParams({ csrf, position: at }));
}

export function startBell() {
  if (!document.querySelector("[data-bell]")) return;
  hear({ notifications: (message) => show(JSON.parse(message.data).unread) });
  tellRead();
}
