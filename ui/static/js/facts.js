// Edit where it stands: click a fact, change it, Enter saves, Escape leaves. A clash of two people shows both.
import { part, sendPart, arrived } from "./part.js";
import { refreshCard } from "./live.js";
import { word, say } from "./words.js";

const chosenText = () => String(getSelection()).length > 0;

async function open(clicked) {
  const href = clicked.dataset.edit;
  const key = clicked.closest(".fact").dataset.key;
  const { ok, fragment } = await part(href, "card-fact-form");
  if (!ok || !fragment.querySelector("form")) return void (location.href = href);
  // What happened on the card meanwhile may have put another cell in the place of the one that was clicked.
  const cell = clicked.isConnected ? clicked : document.querySelector(`.fact[data-key="${CSS.escape(key)}"] dd[data-edit]`);
  if (!cell || cell.before_edit) return;
  cell.before_edit ??= [...cell.childNodes];
  cell.replaceChildren(fragment);
  arrived(cell);
  const control = cell.querySelector(".fact-form :is(input:not([type=hidden]), select, textarea)");
  control?.focus();
  if (control?.select && control.type !== "checkbox") control.select();
  cell.querySelector(".fact-form")?.scrollIntoView({ block: "nearest" }); // its buttons too, on a phone above the bar
}

function close(cell) {
  if (!cell.before_edit) return;
  cell.replaceChildren(...cell.before_edit);
  delete cell.before_edit;
  cell.querySelector(".pen")?.focus();
}

async function save(form, submitter) {
  const cell = form.closest("dd");
  const key = form.closest(".fact").dataset.key;
  const { ok, status, fragment } = await sendPart(form, "card-live", submitter);
  if (ok) {
    delete cell.before_edit;
    cell.replaceChildren();
    refreshCard(fragment);
    const fact = document.querySelector(`.fact[data-key="${CSS.escape(key)}"]`);
    fact?.classList.add("saved");
    fact?.querySelector(".pen")?.focus({ preventScroll: true });
  } else if (status === 422 && fragment.querySelector("form")) {
    cell.replaceChildren(fragment);
    arrived(cell);
    cell.querySelector("[aria-invalid]")?.focus();
    say(cell.querySelector(".problem")?.textContent ?? "");
  } else if (status === 409 && fragment.querySelector("form")) {
    const main = document.getElementById("main");
    main.replaceChildren(fragment);
    arrived(main);
    main.focus();
  } else {
    showFailure(form);
  }
}

export function showFailure(form) {
  let line = form.querySelector(".problem.failure");
  if (!line) {
    line = document.createElement("p");
    line.className = "problem failure";
    line.setAttribute("role", "alert");
    form.append(line);
  }
  line.textContent = word("failed");
}

export function startFacts() {
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const leave = event.target.closest(".fact-form [data-close]");
    if (leave) {
      event.preventDefault();
      close(leave.closest("dd"));
      return;
    }
    const cell = event.target.closest(".fact dd[data-edit]");
    if (!cell || cell.before_edit || event.target.closest("a:not(.pen)") || chosenText()) return;
    event.preventDefault();
    open(cell);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    const form = event.target.closest?.(".fact-form");
    if (form && !event.target.closest("[aria-expanded=true]")) close(form.closest("dd"));
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches(".fact-form")) return;
    event.preventDefault();
    save(event.target, event.submitter);
  });
}
