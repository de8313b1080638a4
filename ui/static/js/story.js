// What is shown of a story: kinds are chosen and left out without leaving the card, and kept for the next one. And what was deleted by
// somebody else goes from the page.
import { part, arrived } from "./part.js";
import { word, element } from "./words.js";

// The address of the story as it is shown, from its newest event on.
export function storyAddress(kinds) {
  const url = new URL(location.href);
  for (const name of ["before", "after", "until", "at"]) url.searchParams.delete(name);
  if (kinds !== undefined) url.searchParams.set("kind", kinds);
  url.hash = "";
  return url;
}

// A comment that an event says is deleted.
export function unsay(root) {
  for (const event of root.querySelectorAll("[data-unsaid]")) {
    const comment = document.getElementById(`e${event.dataset.unsaid}`);
    if (!comment || comment.querySelector(".unsaid")) continue;
    const said = comment.querySelector(".said") ?? element("div", { class: "said" });
    comment.querySelector(".what").append(said);
    said.replaceChildren(element("span", { class: "gone" }, word("deleted")));
    said.classList.add("unsaid");
    said.classList.remove("folded");
    for (const rest of comment.querySelectorAll(".unfold, .attached, .event-menu")) rest.remove();
  }
}

function keep(nav, kinds) {
  const csrf = document.querySelector("meta[name=csrf]").content;
  return fetch(nav.dataset.keepKinds, { method: "POST", body: new URLSearchParams({ csrf, kind: kinds }), redirect: "manual", credentials: "same-origin", keepalive: true }).catch(() => {});
}

async function choose(chip) {
  const story = document.getElementById("story");
  const url = storyAddress(chip.dataset.kinds);
  const [{ ok, fragment }] = await Promise.all([part(url, "card-live"), keep(story.querySelector("[data-keep-kinds]"), chip.dataset.kinds)]);
  const fresh = fragment.querySelector("#days");
  if (!ok || !fresh) return void (location.href = chip.href);
  const scroll = story.querySelector(".chips-scroll");
  const key = scroll.querySelectorAll(".chip").length && [...scroll.querySelectorAll(".chip")].indexOf(chip);
  scroll.replaceChildren(...fragment.querySelector(".chips-scroll").childNodes);
  story.querySelector("#days").replaceWith(fresh);
  const find = story.querySelector(".story-find");
  const findNow = fragment.querySelector(".story-find");
  if (find && findNow) find.replaceWith(findNow);
  history.replaceState(null, "", url);
  arrived(story.querySelector("#days"));
  if (findNow) arrived(findNow);
  scroll.querySelectorAll(".chip")[key]?.focus();
}

export function startStory() {
  document.addEventListener("click", (event) => {
    const chip = event.target.closest("a.chip[data-kinds]");
    if (!chip || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(chip);
  });
}
