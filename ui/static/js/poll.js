// The state of an import that runs, asked for again until it is done.
import { part, arrived } from "./part.js";

async function ask(place) {
  const { ok, fragment } = await part(location.href, place.dataset.poll);
  const fresh = fragment.firstElementChild;
  if (ok && fresh) {
    place.replaceChildren(...fresh.childNodes);
    arrived(place);
    if (!fresh.hasAttribute("data-running")) return;
  }
  setTimeout(() => ask(place), ok ? 700 : 3000);
}

export function startPoll(root) {
  for (const place of root.querySelectorAll("[data-poll]")) setTimeout(() => ask(place), 700);
}
