// Rows: selecting with the mouse, with Shift and all at once; a double click opens.
import { word } from "./words.js";

function boxes(form) {
  return [...form.querySelectorAll("tbody .box input")];
}

function show(form) {
  const all = boxes(form);
  const chosen = all.filter((box) => box.checked).length;
  const every = form.querySelector("[name=all]");
  const head = form.querySelector("[data-select-all]");
  if (head) {
    head.checked = chosen > 0 && chosen === all.length;
    head.indeterminate = chosen > 0 && chosen < all.length;
  }
  if (every && chosen < all.length) every.checked = false;
  const label = form.querySelector("[data-selected-count]");
  if (label) label.textContent = every?.checked ? word("selected-all") : word("selected", chosen);
}

export function startList(root) {
  for (const form of root.querySelectorAll("form[data-list]")) {
    let last = null;
    form.addEventListener("click", (event) => {
      const box = event.target.closest("tbody .box input");
      if (!box) return;
      const all = boxes(form);
      if (event.shiftKey && last && all.includes(last)) {
        const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
        for (const between of all.slice(from, to + 1)) between.checked = box.checked;
      }
      last = box;
    });
    form.addEventListener("change", (event) => {
      if (event.target.matches("[data-select-all]")) for (const box of boxes(form)) box.checked = event.target.checked;
      if (event.target.matches("[name=all]") && event.target.checked) for (const box of boxes(form)) box.checked = true;
      show(form);
    });
    form.addEventListener("reset", () => setTimeout(() => show(form)));
    // Coming back by the history of the browser keeps the boxes as they were.
    show(form);
  }
}

document.addEventListener("dblclick", (event) => {
  const row = event.target.closest("tr[data-href]");
  if (row && !event.target.closest("a, input, button")) location.href = row.dataset.href;
});

// What is cut short tells the whole when pointed at.
document.addEventListener("pointerover", (event) => {
  const cell = event.target.closest?.(".table :is(td, th[scope=row])");
  const cut = cell && [cell, ...cell.querySelectorAll("a, span")].find((part) => part.scrollWidth > part.clientWidth + 1 && getComputedStyle(part).textOverflow === "ellipsis");
  if (cut && !cell.title) cell.title = cell.textContent.trim();
});
