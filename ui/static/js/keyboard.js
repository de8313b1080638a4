// Single keys: j k Enter x, e c n f, g and a second one, / and ?. They can be switched off (in the window of the keys), and do nothing
// while one is typing.
import { part } from "./part.js";
import { openPalette } from "./palette.js";
import { element } from "./words.js";

let waitingForPlace = 0;

const off = () => localStorage.getItem("single-keys") === "off";
// A window that has closed may keep the focus for a moment: nobody types there.
const typing = (node) => node.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog") && !node.closest("dialog:not([open])");

function rows() {
  const table = [...document.querySelectorAll("tr[data-href]")];
  return table.length ? table : [...document.querySelectorAll(".event")];
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const now = all.findIndex((row) => row.classList.contains("at"));
  const next = all[Math.max(0, Math.min(all.length - 1, now < 0 ? 0 : now + step))];
  all[now]?.classList.remove("at");
  next.classList.add("at");
  next.scrollIntoView({ block: "nearest" });
  next.querySelector("a")?.focus({ preventScroll: true });
}

const at = () => document.querySelector("tr.at, .event.at");

function openAt() {
  const row = at();
  const href = row?.dataset.href ?? row?.querySelector(".what a[href]")?.href;
  if (href) location.href = href;
}

export async function showKeys() {
  if (document.querySelector("dialog[open]")) return;
  const { ok, fragment } = await part("/keys", "keys-list");
  if (!ok) return void (location.href = "/keys");
  const window_ = element("dialog", { class: "window" }, fragment);
  document.body.append(window_);
  window_.setAttribute("aria-label", document.querySelector(".rail-foot span")?.textContent ?? "");
  window_.addEventListener("close", () => window_.remove());
  window_.addEventListener("click", (event) => event.target === window_ && window_.close());
  keySwitch(window_);
  window_.showModal();
}

function keySwitch(root) {
  const label = root.querySelector("[data-single-keys]");
  if (!label) return;
  const box = label.querySelector("input");
  label.hidden = false;
  box.checked = !off();
  box.addEventListener("change", () => localStorage.setItem("single-keys", box.checked ? "on" : "off"));
}

function go(key) {
  const modules = [...document.querySelectorAll(".rail ul:nth-of-type(2) a")];
  const href = { h: "/", s: "/settings", l: document.querySelector(".crumbs a")?.href }[key] ?? modules[Number(key) - 1]?.href;
  if (href) location.href = href;
}

const openMenu = (selector) => {
  const menu = document.querySelector(selector);
  if (!menu) return;
  menu.open = true;
  menu.querySelector(".panel a")?.focus();
};

const keys = {
  j: () => move(1),
  k: () => move(-1),
  x: () => at()?.querySelector(".box input")?.click(),
  e: () => document.querySelector("[data-key-edit]")?.click(),
  c: () => document.getElementById("comment")?.focus(),
  n: () => openMenu(".menu-new"),
  f: () => openMenu("#add-filter"),
  g: () => (waitingForPlace = Date.now()),
  "/": () => openPalette(),
  "?": () => showKeys(),
};

export function startKeyboard() {
  keySwitch(document);
  document.addEventListener("click", (event) => {
    const link = event.target.closest('.rail a[href="/keys"], .top a[href="/keys"]');
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    showKeys();
  });
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || off() || typing(event.target)) return;
    if (waitingForPlace && Date.now() - waitingForPlace < 1500) {
      waitingForPlace = 0;
      event.preventDefault();
      return go(event.key);
    }
    if (event.key === "Enter" && at() && !event.target.closest("a, button, summary")) return openAt();
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
}
