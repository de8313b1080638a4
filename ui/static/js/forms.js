// Forms: nothing lost by leaving, nothing sent twice, Ctrl+Enter sends, filters apply themselves, files can be dropped, long texts fold.
import { word, element } from "./words.js";

const dirty = new Set();

function guard(form) {
  form.addEventListener("input", () => dirty.add(form));
  form.addEventListener("submit", () => dirty.delete(form));
  form.addEventListener("kept", () => dirty.delete(form));
  form.addEventListener("reset", () => dirty.delete(form));
}

addEventListener("beforeunload", (event) => {
  const live = [...dirty].some((form) => form.isConnected);
  if (live) event.preventDefault();
});

function dropPlace(label) {
  const input = label.querySelector("input[type=file]");
  const over = (on) => (event) => {
    event.preventDefault();
    label.classList.toggle("over", on);
  };
  label.addEventListener("dragover", over(true));
  label.addEventListener("dragleave", over(false));
  label.addEventListener("drop", (event) => {
    over(false)(event);
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

// The chosen file is named beside our button: the browser's own control is out of sight.
function fileName(place) {
  const input = place.parentElement.querySelector("input[type=file]");
  const none = place.textContent;
  const tell = () => (place.textContent = [...input.files].map((file) => file.name).join(", ") || none);
  input.addEventListener("change", tell);
  input.form?.addEventListener("reset", () => setTimeout(tell));
  tell(); // browsers keep what was chosen when one comes back
}

// Texts that are very long show their beginning; in cells and values what is folded is put into a block of its own.
function foldLong(place) {
  const content = document.createRange();
  content.selectNodeContents(place);
  if (content.getBoundingClientRect().height <= Number(place.dataset.long)) return;
  let block = place;
  if (place.matches("dd, td")) {
    block = element("div", {}, ...place.childNodes);
    place.append(block);
  }
  const button = element("button", { type: "button", class: "unfold", "aria-expanded": "false" }, word("more"));
  block.classList.add("folded");
  button.addEventListener("click", () => {
    const open = block.classList.toggle("folded") === false;
    button.textContent = word(open ? "less" : "more");
    button.setAttribute("aria-expanded", String(open));
  });
  block.after(button);
}

// A list of values always has an empty line at its end.
function growingValues(group) {
  group.addEventListener("input", (event) => {
    const row = event.target.closest(".field-row");
    const list = row?.parentElement;
    if (!row || row !== list.lastElementChild || !row.querySelector("[name='choice.label']").value) return;
    const next = row.cloneNode(true);
    for (const input of next.querySelectorAll("input")) input.value = "";
    list.append(next);
  });
}

function remember(box) {
  box.checked = localStorage.getItem(box.dataset.keep) === "on";
  box.addEventListener("change", () => localStorage.setItem(box.dataset.keep, box.checked ? "on" : "off"));
}

export function startForms(root) {
  for (const box of root.querySelectorAll("[data-keep]")) remember(box);

  for (const form of root.querySelectorAll("form[data-guard]")) guard(form);
  for (const label of root.querySelectorAll("[data-drop]")) dropPlace(label);
  for (const place of root.querySelectorAll("[data-file]")) fileName(place);
  for (const block of root.querySelectorAll("[data-long]")) foldLong(block);
  for (const group of root.querySelectorAll("[data-values]")) growingValues(group);
  for (const button of root.querySelectorAll("form[data-auto] [data-auto-button]")) button.hidden = true;
  root.querySelector("[data-problems]")?.focus();
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-auto]");
  // A date is complete only when the whole of it has been given.
  if (form && event.target.validity.valid) form.requestSubmit();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest?.("form");
  if (!form) return;
  event.preventDefault();
  form.requestSubmit();
});
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  const form = event.target;
  if (form.method === "get") {
    // Empty filters make no address longer.
    for (const input of form.matches("[data-auto]") ? form.elements : []) if (!input.value) input.disabled = true;
  } else {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
  }
  if (!event.submitter?.matches("[value=export]")) document.documentElement.classList.add("busy");
  else setTimeout(() => delete form.dataset.sent, 1500);
});
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.origin !== location.origin || link.target || link.dataset.viewer || link.hasAttribute("download") || link.hash) return;
  document.documentElement.classList.add("busy");
});
addEventListener("pageshow", () => {
  document.documentElement.classList.remove("busy");
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const input of document.querySelectorAll("form[data-auto] :disabled")) input.disabled = false;
});
