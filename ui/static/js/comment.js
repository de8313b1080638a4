// Writing a comment: how much room is left, who is meant by an @, which files go along.
import { part } from "./part.js";
import { element, icon, newId, say, word } from "./words.js";

const segments = "Segmenter" in Intl ? new Intl.Segmenter() : null;

// As the server counts: what a person calls a character.
function length(text) {
  if (!segments) return [...text].length;
  let n = 0;
  for (const _ of segments.segment(text)) n++;
  return n;
}

const TELL_FROM = 500; // characters left

function counter(area) {
  const place = area.form.querySelector("[data-left]");
  const most = Number(area.dataset.most);
  const tell = () => {
    const text = area.value.replace(/\r\n?/g, "\n");
    // A character has at least one unit: far from the end nothing needs to be counted.
    const left = text.length < most - TELL_FROM ? most : most - length(text);
    const over = left < 0;
    place.hidden = left >= TELL_FROM;
    place.textContent = place.hidden ? "" : word(over ? "too-long" : "left", Math.abs(left));
    place.classList.toggle("over", over);
    area.setCustomValidity(over ? place.textContent : "");
  };
  area.addEventListener("input", tell);
  area.form.addEventListener("reset", () => setTimeout(tell));
  tell();
}

// ------------------------------------------------------------ mentions

const BEFORE = /(?:^|[^\p{L}\p{N}_])@([\p{L}\p{N}_][^\n@]{0,60})?$/u;

class Mention {
  constructor(area) {
    this.area = area;
    this.taken = [];
    this.list = element("div", { class: "options", role: "listbox", id: newId("people"), "aria-label": word("people"), hidden: true });
    area.form.append(this.list);
    area.setAttribute("aria-autocomplete", "list");
    area.addEventListener("input", () => this.later());
    area.addEventListener("click", () => this.typed() === null && this.close());
    area.addEventListener("keydown", (event) => this.key(event));
    area.addEventListener("blur", () => setTimeout(() => this.close(), 150));
    area.form.addEventListener("reset", () => this.forget());
    area.form.addEventListener("kept", () => this.forget());
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.take(event.target.closest("[role=option]")));
  }

  // What stands between an @ and the caret; null where there is none.
  typed() {
    const { value, selectionStart, selectionEnd } = this.area;
    if (selectionStart !== selectionEnd) return null;
    const found = BEFORE.exec(value.slice(0, selectionStart));
    if (!found) return null;
    const text = found[1] ?? "";
    // A name that was chosen is complete: what follows is the sentence.
    const chosen = this.taken.some((name) => text.startsWith(`${name} `) || text === name);
    return chosen ? null : text;
  }

  // What was asked before is no longer waited for: its answer must not close what the next one opens.
  stop() {
    clearTimeout(this.timer);
    this.running?.abort();
  }

  later() {
    this.stop();
    if (this.typed() === null) return this.close();
    this.timer = setTimeout(() => this.search(), 120);
  }

  async search() {
    const text = this.typed();
    if (text === null) return this.close();
    // A name has no more than a few words: what goes on is the sentence.
    if (text.endsWith("  ") || text.trim().split(/\s+/).length > 5) return this.close();
    const { signal } = (this.running = new AbortController());
    const url = new URL(this.area.dataset.people, location.href);
    url.searchParams.set("q", text.trim());
    try {
      const { ok, fragment } = await part(url, "lookup-results", { signal });
      if (signal.aborted) return;
      const options = [...fragment.querySelectorAll("[role=option]")];
      if (!ok || !options.length || this.typed() !== text || document.activeElement !== this.area) return this.close();
      for (const option of options) option.id = newId("person");
      for (const list of fragment.querySelectorAll("ul")) list.setAttribute("role", "presentation");
      this.list.replaceChildren(fragment);
      this.open();
    } catch {
      // stopped, or not reached: nothing is offered
    }
  }

  open() {
    this.list.hidden = false;
    // A field of several lines may not have the role of a combobox; what belongs to one otherwise it has.
    this.area.setAttribute("aria-haspopup", "listbox");
    this.area.setAttribute("aria-controls", this.list.id);
    this.select(this.all()[0]);
    say(`${word("people")}: ${this.all().length}`);
  }

  close() {
    this.stop();
    this.list.hidden = true;
    this.list.replaceChildren();
    for (const key of ["aria-haspopup", "aria-controls", "aria-activedescendant"]) this.area.removeAttribute(key);
  }

  forget() {
    this.close();
    this.taken = [];
    for (const box of this.area.form.querySelectorAll("input[name=mentions]")) box.remove();
  }

  all() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  select(option) {
    for (const other of this.all()) other.setAttribute("aria-selected", String(other === option));
    this.area.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    if (this.list.hidden || event.isComposing) return;
    const all = this.all();
    const now = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") this.select(all[(now + (event.key === "ArrowDown" ? 1 : all.length - 1)) % all.length]);
    else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") this.take(all[now]);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  take(option) {
    const text = this.typed();
    if (!option || text === null) return this.close();
    const name = option.querySelector("span").textContent;
    const end = this.area.selectionStart;
    this.taken.push(name);
    this.area.setRangeText(`@${name} `, end - text.length - 1, end, "end");
    this.area.form.append(element("input", { type: "hidden", name: "mentions", value: option.dataset.id }));
    this.close();
    this.area.dispatchEvent(new Event("input", { bubbles: true }));
    this.area.focus();
    say(name);
  }
}

// ------------------------------------------------------------ files

// Dropped or pasted anywhere in the form they are files chosen (uploads.js). With some, nothing has to be written.
function attaching(area) {
  const { form } = area;
  const input = form.querySelector("input[type=file]");
  const add = (files) => {
    const all = new DataTransfer();
    for (const file of files) all.items.add(file);
    input.files = all.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const tell = () => (area.required = !form.querySelector(".upload-name, [name='files.kept']"));
  new MutationObserver(tell).observe(form, { childList: true, subtree: true });
  tell();
  area.addEventListener("paste", (event) => event.clipboardData.files.length && (event.preventDefault(), add(event.clipboardData.files)));
  form.addEventListener("dragover", (event) => event.dataTransfer.types.includes("Files") && (event.preventDefault(), form.classList.add("over")));
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    form.classList.remove("over");
    if (!event.dataTransfer.files.length || event.defaultPrevented) return;
    event.preventDefault();
    add(event.dataTransfer.files);
  });
  form.addEventListener("reset", () => form.querySelector("[data-attaching]").replaceChildren());
}

export function startComment(root) {
  for (const area of root.querySelectorAll("textarea[data-most]")) {
    counter(area);
    new Mention(area);
    attaching(area);
  }
}
