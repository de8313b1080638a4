// What goes on (an import, an undoing), asked for again until it is done; [data-poll] says that it goes on.
import { part, arrived } from "./part.js";

async function ask(place) {
  const { ok, fragment } = await part(location.href, place.dataset.poll);
  const fresh = fragment.firstElementChild;
  if (ok && fresh) {
    place.replaceChildren(...fresh.childNodes);
    arrived(place);
    if (!fresh.hasAttribute("data-running")) return place.removeAttribute("data-poll");
  }
  setTimeout(() => ask(place), ok ? 700 : 3000);
}

export function startPoll(root) {
  for (const place of root.querySelectorAll("[data-poll]")) setTimeout(() => ask(place), 700);
}
