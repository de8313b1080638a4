// The ribbon of a card as a slider: dragged, or moved by keys, the whole card shows how it was. Without this file its bars, steps
// and form are links that do the same.
import { part, arrived } from "./part.js";
import { say } from "./words.js";
import { writtenMoment } from "./written.js";

const ribbon = () => document.getElementById("ribbon");
const number = (node, name) => Number(node.dataset[name]);
let drag = null; // {pointer, moment}: the knob is held
let wanted = null; // the address to be shown next, while another one is on its way
let running = false;
let steps = 0; // events to go, back or on, that were asked for meanwhile

// Where a moment stands, between 0 and 1; null is now.
function place(node, moment) {
  const from = number(node, "from");
  const to = number(node, "to");
  return moment === null ? 1 : Math.min(1, Math.max(0, (moment - from) / Math.max(1, to - from)));
}

function move(node, moment) {
  const x = `${(100 * place(node, moment)).toFixed(3)}%`;
  const line = node.querySelector(".knob-line");
  line.setAttribute("x1", x);
  line.setAttribute("x2", x);
  node.querySelector(".knob-dot").setAttribute("cx", x);
  node.querySelector(".knob").style.left = x;
  for (const bar of node.querySelectorAll(".ribbon-track a rect")) bar.classList.toggle("past", parseFloat(bar.getAttribute("x")) < parseFloat(x));
  const tip = node.querySelector(".ribbon-tip");
  tip.style.left = x;
  tip.hidden = !drag;
  if (drag) tip.textContent = writtenMoment(moment ?? Date.now(), node.dataset.zone);
}

// The address of a moment in milliseconds; of the card as it is for null.
function address(node, moment) {
  const url = new URL(node.dataset.now, location.href);
  if (moment !== null) url.searchParams.set("as_of", new Date(moment).toISOString());
  return url;
}

const isNow = (url) => !new URL(url, location.href).searchParams.has("as_of");
// What is being written here would be lost.
const writing = () => [...document.querySelectorAll("#live textarea, #live .fact-form")].some((field) => field.matches(".fact-form") || field.value);

function swap(fragment) {
  const top = fragment.querySelector("#card-top");
  const live = fragment.querySelector("#live");
  const fresh = live?.querySelector("#ribbon");
  if (!top || !fresh) return false;
  const old = ribbon();
  const held = old.contains(document.activeElement) && document.activeElement.matches(".knob");
  // The knob that is held stays the same node.
  const track = old.querySelector(".ribbon-track");
  old.className = fresh.className;
  // A knob that is held stands on a scale that does not move under the hand.
  Object.assign(old.dataset, drag ? { at: fresh.dataset.at } : fresh.dataset);
  const typed = old.querySelector(".ribbon-form").contains(document.activeElement);
  for (const piece of [".ribbon-says", ".ribbon-steps", ...(drag ? [] : [".ribbon-marks"]), ...(typed ? [] : [".ribbon-form"])]) {
    old.querySelector(piece).replaceWith(fresh.querySelector(piece));
    arrived(old.querySelector(piece));
  }
  if (!drag) track.querySelector("svg").replaceWith(fresh.querySelector(".ribbon-track svg"));
  for (const { name, value } of fresh.querySelector(".knob").attributes) if (name.startsWith("aria-")) old.querySelector(".knob").setAttribute(name, value);
  // It stays where it is in the document: taken out for a moment, it would lose the pointer.
  const holder = document.getElementById("live");
  for (const child of [...holder.childNodes]) if (child !== old) child.remove();
  const pieces = [...live.childNodes];
  old.before(...pieces.slice(0, pieces.indexOf(fresh)));
  old.after(...pieces.slice(pieces.indexOf(fresh) + 1));
  holder.dataset.version = live.dataset.version;
  document.getElementById("card-top").replaceWith(top);
  arrived(top);
  for (const child of holder.children) if (child !== old) arrived(child);
  move(old, drag ? drag.moment : shown(old));
  if (held) old.querySelector(".knob").focus({ preventScroll: true });
  return true;
}

const shown = (node) => (node.classList.contains("past") ? number(node, "at") : null);

async function show(url) {
  if (isNow(url) || writing()) return void location.assign(url);
  const { ok, fragment } = await part(url, "card-past");
  if (!ok || !swap(fragment)) return void location.assign(url);
  history.replaceState(null, "", url);
  document.title = document.title.replace(/^.*?(?= · )/, document.querySelector("#card-top h1").textContent.trim());
}

// One at a time; of what is asked for meanwhile the newest.
async function go(url) {
  wanted = url;
  if (running) return;
  running = true;
  ribbon().classList.add("busy");
  while (wanted || steps) {
    const step = steps < 0 ? "prev" : "next";
    const next = wanted ?? ribbon().querySelector(`a[rel=${step}]`)?.href;
    if (!wanted) steps -= Math.sign(steps);
    wanted = null;
    if (!next) steps = 0;
    else await show(next);
  }
  running = false;
  ribbon().classList.remove("busy");
  if (!drag) say(ribbon().querySelector("[data-title]").textContent);
}

function step(by) {
  steps += by;
  if (!running) go(null);
}

function onKey(event) {
  const node = ribbon();
  const life = number(node, "to") - number(node, "from");
  const at = shown(node) ?? number(node, "to");
  const leap = (by) => {
    const moment = Math.max(number(node, "from"), at + by * (life / 12));
    return go(address(node, moment >= number(node, "to") ? null : Math.round(moment)));
  };
  const does = {
    ArrowLeft: () => step(-1), ArrowDown: () => step(-1), ArrowRight: () => step(1), ArrowUp: () => step(1),
    PageDown: () => leap(-1), PageUp: () => leap(1),
    Home: () => go(node.querySelector("a[rel=first]")?.href ?? address(node, number(node, "from"))),
    End: () => shown(node) !== null && go(node.dataset.now),
    Escape: () => shown(node) !== null && go(node.dataset.now),
  }[event.key];
  if (!does || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  event.stopPropagation();
  does();
}

// ---------------------------------------------------------------- by the pointer

function momentUnder(node, x) {
  const box = node.querySelector(".ribbon-track").getBoundingClientRect();
  const share = (x - box.left) / box.width;
  if (share > 0.994) return null;
  return Math.round(number(node, "from") + Math.max(0, share) * (number(node, "to") - number(node, "from")));
}

function onDown(event) {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const node = ribbon();
  const track = node.querySelector(".ribbon-track");
  drag = { pointer: event.pointerId, moment: momentUnder(node, event.clientX) };
  track.setPointerCapture(event.pointerId);
  event.preventDefault();
  node.querySelector(".knob").focus({ preventScroll: true });
  move(node, drag.moment);
}

function onMove(event) {
  if (!drag || event.pointerId !== drag.pointer) return;
  const node = ribbon();
  drag.moment = momentUnder(node, event.clientX);
  move(node, drag.moment);
  // What is now is shown when the knob is let go: the page is loaded for it.
  if (drag.moment !== null && !writing()) go(address(node, drag.moment));
}

function onUp(event) {
  if (!drag || event.pointerId !== drag.pointer) return;
  const node = ribbon();
  const { moment } = drag;
  drag = null;
  move(node, moment);
  if (moment !== null || shown(node) !== null || running) go(address(node, moment));
}

function onCancel() {
  if (!drag) return;
  drag = null;
  move(ribbon(), shown(ribbon()));
}

// ---------------------------------------------------------------- the bars of a long story, which come after the card

const barsPause = 3000; // ms: of so many events one more is hardly seen
const barsHref = (node) => node.querySelector(".ribbon-count a")?.href;
let barsTimer = 0;

function takeBars(node, from) {
  for (const piece of [".ribbon-bars", ".ribbon-count"]) node.querySelector(piece).replaceWith(from.querySelector(piece));
}

async function fetchBars(href) {
  const { ok, fragment } = await part(href, "card-ribbon");
  const node = ribbon();
  if (!ok || !node || !fragment.querySelector(".ribbon-bars")) return;
  takeBars(node, fragment);
  if (!drag) move(node, shown(node));
}

// The live card has a new ribbon. One that is being dragged is left alone.
export function replaceRibbon(fragment) {
  const old = ribbon();
  const fresh = fragment.querySelector("#ribbon");
  if (!old || !fresh || drag) return;
  const later = barsHref(fresh);
  if (later) {
    takeBars(fresh, old.cloneNode(true));
    clearTimeout(barsTimer);
    barsTimer = setTimeout(fetchBars, barsPause, later);
  }
  if (old.contains(document.activeElement)) {
    Object.assign(old.dataset, fresh.dataset);
    old.querySelector(".ribbon-track svg").replaceWith(fresh.querySelector(".ribbon-track svg"));
    old.querySelector(".ribbon-count").replaceWith(fresh.querySelector(".ribbon-count"));
    return;
  }
  old.replaceWith(fresh);
  arrived(fresh);
}

export function startRibbon(root) {
  const node = root.id === "ribbon" ? root : root.querySelector?.("#ribbon");
  const knob = node?.querySelector(".knob");
  if (!knob || !knob.hidden) return;
  knob.hidden = false;
  const track = node.querySelector(".ribbon-track");
  knob.addEventListener("keydown", onKey);
  track.addEventListener("pointerdown", onDown);
  track.addEventListener("pointermove", onMove);
  track.addEventListener("pointerup", onUp);
  track.addEventListener("pointercancel", onCancel);
  // The pointer has shown the moment already, and a bar is no picture to be dragged away.
  track.addEventListener("click", (event) => event.detail && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.preventDefault());
  track.addEventListener("dragstart", (event) => event.preventDefault());
  node.addEventListener("click", (event) => {
    const link = event.target.closest(".ribbon-steps a");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || isNow(link.href)) return;
    event.preventDefault();
    go(link.href).then(() => ribbon().querySelector(`a[rel=${link.rel}]`)?.focus());
  });
  move(node, shown(node));
  const later = barsHref(node);
  if (later) fetchBars(later);
}
