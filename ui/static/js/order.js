// Lists put in order by dragging, or by the arrows on the grip for those who don't drag.
import Sortable from "sortablejs/modular/sortable.core.esm.js";
import { formBody, waiting } from "./part.js";
import { say, word } from "./words.js";

async function keep(list) {
  list.closest("form")?.dispatchEvent(new Event("input", { bubbles: true }));
  const form = list.closest("form[data-order]");
  if (!form) return;
  try {
    const response = await waiting(fetch(form.action, { method: "POST", body: formBody(form), redirect: "manual", credentials: "same-origin" }));
    if (response.type !== "opaqueredirect" && !response.ok) location.reload();
  } catch {
    say(word("failed"));
  }
  for (const up of form.querySelectorAll('[value^="up "]')) up.disabled = up.closest("li") === form.querySelector(".field-row");
  const all = form.querySelectorAll(".field-row");
  for (const down of form.querySelectorAll('[value^="down "]')) down.disabled = down.closest("li") === all[all.length - 1];
}

function grips(list) {
  for (const grip of list.querySelectorAll(".grip")) {
    if (grip.getAttribute("role") === "button") continue;
    const row = grip.closest("li");
    const name = row.querySelector("a, label, [name='choice.label']");
    grip.removeAttribute("aria-hidden");
    grip.setAttribute("role", "button");
    grip.setAttribute("tabindex", "0");
    grip.setAttribute("aria-label", `${word("move")} ${(name?.value ?? name?.textContent ?? "").trim()}`);
    grip.addEventListener("keydown", (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      const other = step < 0 ? row.previousElementSibling : row.nextElementSibling;
      if (!other) return;
      if (step < 0) other.before(row);
      else other.after(row);
      grip.focus();
      say(word("moved", [...list.children].indexOf(row) + 1));
      keep(list);
    });
  }
}

export function startOrder(root) {
  for (const list of root.querySelectorAll("[data-sortable]")) {
    grips(list);
    Sortable.create(list, { handle: ".grip", animation: 120, group: list.dataset.sortable || undefined, onEnd: () => keep(list) });
  }
}
