// Reminders come into a corner of the page: the server says when, one of the tabs that are seen shows them. What is answered in one
// is told to the others.
import { hear } from "./stream.js";
import { part, formBody, waiting } from "./part.js";

const channel = "BroadcastChannel" in window ? new BroadcastChannel("cronista-reminders") : null;
const locks = navigator.locks ?? null;
let showing = false;
let asked = 0;

const place = () => document.getElementById("reminders");
const keys = (root) => [...root.querySelectorAll("[data-reminder]")].map((item) => item.dataset.reminder).join(" ");

// On the page of the reminders itself they are there already.
const shownHere = () => document.querySelector(".reminders-page");

function put(fragment) {
  const now = place();
  if (shownHere()) return;
  if (keys(fragment) === keys(now)) return;
  now.replaceChildren(...(fragment.querySelector("[data-reminder]") ? [fragment] : []));
}

async function look() {
  if (!showing || !place()) return;
  const mine = ++asked;
  const { ok, fragment } = await part("/reminders", "reminder-window");
  if (ok && showing && mine === asked) put(fragment);
}

function news() {
  channel?.postMessage("look");
  look();
}

// Only the tab that has the lock shows; it gives it back when it is no longer seen.
function show() {
  if (document.visibilityState !== "visible") return;
  const begin = () => {
    showing = true;
    look();
  };
  if (!locks) return begin();
  const stop = new AbortController();
  document.addEventListener("visibilitychange", () => stop.abort(), { once: true });
  locks
    .request("cronista-reminders-shown", { signal: stop.signal }, () => {
      begin();
      return new Promise((over) => stop.signal.addEventListener("abort", over));
    })
    .catch(() => {})
    .finally(() => {
      showing = false;
      place()?.replaceChildren();
    });
}

async function answer(form, submitter) {
  try {
    const headers = { "Cronista-Part": "reminder-window" };
    const response = await waiting(fetch(form.action, { method: "POST", body: formBody(form, submitter), headers, credentials: "same-origin" }));
    if (!response.ok) return form.submit();
    form.closest("[data-reminder]").remove();
    news();
  } catch {
    form.submit();
  }
}

export function startReminders() {
  if (!place()) return;
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("#reminders form[data-answer]")) return;
    event.preventDefault();
    answer(event.target, event.submitter);
  });
  channel?.addEventListener("message", look);
  document.addEventListener("visibilitychange", show);
  show();
  hear({ open: news, reminders: news });
}
