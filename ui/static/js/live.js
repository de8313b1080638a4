// The card in real time: each message of the stream asks for the live part of the card and puts what changed in its place, without
// moving what one is reading.
import { part, arrived, formBody, waiting } from "./part.js";
import { showFailure } from "./facts.js";
import { word, say, element } from "./words.js";
import { mergeDays } from "./more.js";
import { hear, hearCard } from "./stream.js";
import { replaceRibbon } from "./ribbon.js";
import { storyAddress, unsay } from "./story.js";

let known = -1; // all of the story up to here that is to be shown is on the page

const card = () => document.getElementById("live");

// Facts replaced one by one: the one being edited stays as it is.
function replaceSide(fragment) {
  const old = document.getElementById("side");
  const fresh = fragment.querySelector("#side");
  if (!old || !fresh) return;
  for (const editing of old.querySelectorAll(".fact:has(.fact-form)")) {
    const place = fresh.querySelector(`.fact[data-key="${CSS.escape(editing.dataset.key)}"]`);
    if (place) place.replaceWith(editing);
  }
  for (const closing of old.querySelectorAll("details.close[open]")) {
    const action = closing.querySelector("form").getAttribute("action");
    fresh.querySelector(`form[action="${CSS.escape(action)}"]`)?.closest("details.close")?.replaceWith(closing);
  }
  const made = old.querySelector(".made-link");
  if (made) fresh.querySelector("#consents header")?.after(made); // it can't be had again
  const sharing = old.querySelector("#consents details.menu[open]");
  if (sharing) fresh.querySelector("#consents details.menu")?.replaceWith(sharing);
  const scrolled = old.scrollTop;
  old.replaceWith(fresh);
  fresh.scrollTop = scrolled;
  arrived(fresh);
}

// The table of lines: a row that somebody is filling in here stays as it is.
function replaceLines(fragment) {
  const old = document.getElementById("lines");
  const fresh = fragment.querySelector("#lines");
  if (!old || !fresh) return;
  const focus = old.contains(document.activeElement) ? document.activeElement.id : "";
  const fold = fresh.querySelector("details");
  if (fold && old.querySelector("details")?.open) fold.open = true;
  for (const row of old.querySelectorAll("tr.dirty")) fresh.querySelector(`tr[data-line="${CSS.escape(row.dataset.line)}"]`)?.replaceWith(row);
  old.replaceWith(fresh);
  arrived(fresh);
  if (focus && !document.activeElement?.closest("#lines")) document.getElementById(focus)?.focus({ preventScroll: true });
}

function replaceStages(fragment) {
  const old = document.getElementById("stages");
  const fresh = fragment.querySelector("#stages");
  if (!old || !fresh) return;
  const scrolled = old.scrollLeft;
  old.replaceWith(fresh);
  fresh.scrollLeft = scrolled;
}

function announceAbove(story, count) {
  const top = story.getBoundingClientRect().top;
  if (!count || top > 0) return;
  let button = story.querySelector(".new-above");
  if (!button) {
    button = element("button", { type: "button", class: "new-above" }, word("new-above"));
    button.addEventListener("click", () => {
      story.scrollIntoView({ block: "start" });
      button.remove();
    });
    story.querySelector(".days").before(button);
  }
}

// What can be done with an activity stands at the newest event about it; it changes while the event stays. One that is being closed
// by somebody here is left alone.
function replaceActs(story, fresh) {
  for (const event of fresh.querySelectorAll(".event")) {
    const act = event.querySelector(".activity-acts");
    if (act) for (const old of story.querySelectorAll(`.activity-acts[data-of="${CSS.escape(act.dataset.of)}"]`)) if (!old.querySelector("[open]")) old.remove();
    const known = document.getElementById(event.id);
    if (!known || known.querySelector(".activity-acts")) continue;
    if (act) known.querySelector(".what > p").after(act);
  }
}

function replaceActivity(fragment) {
  const old = document.getElementById("activity");
  const fresh = fragment.querySelector("#activity");
  if (old && fresh && !old.querySelector("[open]")) old.replaceWith(fresh);
}

const tellsOfErasing = (event) => event.querySelector(".dot use")?.getAttribute("href").endsWith("#eraser");
const leadsToFile = (event) => event.querySelector("a[href*='/documents/']") !== null;

// A document that was deleted for good leaves the events that spoke of it: those of the page that lead to files are asked for again.
async function leaveErased() {
  const days = document.getElementById("days");
  const older = storyAddress();
  for (;;) {
    const stale = [...days.querySelectorAll(".event")].filter(leadsToFile);
    const below = older.searchParams.get("before") ?? Infinity;
    const next = stale.map((event) => Number(event.dataset.position)).filter((position) => position < below);
    if (!next.length) return;
    older.searchParams.set("before", Math.max(...next) + 1);
    const { ok, fragment } = await part(older, "card-events");
    const fresh = [...fragment.querySelectorAll(".event")];
    if (!ok || !fresh.length) return;
    for (const event of fresh) {
      const old = document.getElementById(event.id);
      if (!old || !leadsToFile(old)) continue;
      old.replaceWith(event);
      arrived(event);
    }
    older.searchParams.set("before", Math.min(...fresh.map((event) => Number(event.dataset.position))));
  }
}

export function refreshCard(fragment) {
  const story = document.getElementById("story");
  const fresh = fragment.querySelector("#story");
  replaceActivity(fragment);
  if (story && fresh) replaceActs(story, fresh);
  replaceStages(fragment);
  replaceLines(fragment);
  replaceRibbon(fragment);
  replaceSide(fragment);
  if (!story || !fresh) return;
  const chips = fresh.querySelector(".chips-scroll");
  if (chips) story.querySelector(".chips-scroll")?.replaceWith(chips);
  const heightBefore = story.scrollHeight;
  const scrolled = story.getBoundingClientRect().top < 0;
  const added = mergeDays(story.querySelector(".days"), fresh.querySelectorAll(".day"), true);
  if (scrolled && !CSS.supports("overflow-anchor", "auto")) scrollBy(0, story.scrollHeight - heightBefore);
  for (const event of added) {
    event.classList.add("fresh");
    arrived(event);
  }
  unsay(fresh);
  unsay(story);
  if (added.some(tellsOfErasing)) leaveErased();
  if (added.length) say(added[0].querySelector(".what p")?.textContent ?? "");
  announceAbove(story, added.length);
}

// All that happened since, a page of it after the other: one who was away for long misses nothing.
async function catchUp() {
  for (let more = true; more; ) {
    const url = storyAddress();
    if (new URL(location.href).searchParams.has("at")) url.searchParams.set("kind", "all");
    url.searchParams.set("after", known);
    const { ok, fragment } = await part(url, "card-live");
    const days = fragment.querySelector("#days");
    if (!ok || !days) {
      later(2000);
      return;
    }
    more = days.querySelector(".newer") !== null;
    const positions = [...days.querySelectorAll(".event")].map((e) => Number(e.dataset.position));
    known = Math.max(known, more ? Math.max(...positions) : Number(days.dataset.newest));
    refreshCard(fragment);
  }
}

// Something that was shown until now is for others only, or what was theirs is for everyone: the story as it is for this person now.
async function anew() {
  const { ok, fragment } = await part(storyAddress(), "card-live");
  const fresh = fragment.querySelector("#days");
  if (!ok || !fresh) return location.reload(); // it is the record itself; the page that says so
  document.getElementById("days").replaceWith(fresh);
  arrived(fresh);
  known = Number(fresh.dataset.newest);
  refreshCard(fragment);
}

// After a pause nobody tells what was taken away meanwhile: what the newest page of the story has no more.
async function leaveWithdrawn() {
  const { ok, status, fragment } = await part(storyAddress(), "card-live");
  if (status === 404) return location.reload();
  const fresh = fragment.querySelector("#days");
  if (!ok || !fresh) return;
  const positions = [...fresh.querySelectorAll(".event")].map((event) => Number(event.dataset.position));
  for (const event of document.querySelectorAll("#days .event")) {
    const position = Number(event.dataset.position);
    if (position >= Math.min(...positions) && position <= Math.max(...positions) && !positions.includes(position)) event.remove();
  }
  replaceSide(fragment);
}

let running = null;
let again = false;
let timer = 0;

function later(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(refresh, milliseconds);
}

// One at a time; what comes meanwhile is looked for once more.
async function refresh() {
  again = true;
  running ??= (async () => {
    while (again) {
      again = false;
      if (document.querySelector("[data-live]")) await catchUp();
      else await asItStands();
    }
    running = null;
  })();
  await running;
}

// A story that is shown as it was at some time: only the rest of the card follows.
async function asItStands() {
  const { ok, fragment } = await part(location.href, "card-live");
  if (ok) refreshCard(fragment);
}

function listen(dot) {
  known = Number(dot.dataset.position);
  const show = (state) => {
    dot.hidden = false;
    dot.classList.toggle("waiting", state === "waiting");
    dot.querySelector("span").textContent = word(state);
  };
  const onEvent = (message) => {
    if (Number(message.lastEventId) <= known) return;
    if (JSON.parse(message.data).whole) anew();
    else later(60);
  };
  let opened = false;
  const onOpen = () => {
    show("live");
    if (opened) leaveWithdrawn();
    opened = true;
  };
  hearCard(dot.dataset.live, () => known);
  hear({ open: onOpen, error: () => show("waiting"), change: onEvent, withdrawn: anew, gone: () => location.reload() });
}

// Small forms on a card (stage, tick of a task, comment): sent without leaving it. What is refused goes the plain way, which shows why.
async function act(form, submitter) {
  let response;
  try {
    response = await waiting(fetch(form.action, { method: "POST", body: formBody(form, submitter), redirect: "manual", credentials: "same-origin" }));
  } catch {
    return showFailure(form);
  }
  if (response.type !== "opaqueredirect" && !response.ok) {
    const again = submitter?.name ? element("input", { type: "hidden", name: submitter.name, value: submitter.value }) : "";
    form.append(again);
    return form.submit();
  }
  form.dispatchEvent(new CustomEvent("kept", { bubbles: true }));
  for (const row of form.querySelectorAll("tr.dirty")) row.classList.remove("dirty");
  form.closest("details.close")?.removeAttribute("open");
  if (form.matches(".say, .note-form")) {
    form.reset();
    for (const token of form.querySelectorAll(".token")) token.remove();
    form.closest("details.note")?.removeAttribute("open");
    form.elements.once.value = crypto.getRandomValues(new Uint32Array(4)).join("-"); // what is written next is not this again
  }
  if (card()) await refresh();
  else form.closest("li, tr[data-href]")?.remove();
}

export function startLive() {
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-act]")) return;
    event.preventDefault();
    act(event.target, event.submitter);
  });
  // A form may have been answered with the card: its story is asked for, and loaded again, at the card's own address.
  if (card() && location.pathname !== `/${card().dataset.card}`) history.replaceState(null, "", `/${card().dataset.card}`);
  const dot = document.querySelector("[data-live]");
  if (dot) listen(dot);
}
