// The magnifier: a link to another record is found by typing, and a missing record is made without leaving.
// A combobox as in the ARIA Authoring Practices: arrows choose, Enter takes, Escape closes.
import { part, sendPart, arrived } from "./part.js";
import { element, newId, say, word } from "./words.js";

// The form in the window has the ids of the one on the page: labels would name that one's fields.
function ownIds(root) {
  const own = new Map([...root.querySelectorAll("[id]")].map((node) => [node.id, newId(node.id)]));
  for (const node of root.querySelectorAll("[id]")) node.id = own.get(node.id);
  for (const name of ["for", "aria-describedby"])
    for (const node of root.querySelectorAll(`[${name}]`)) node.setAttribute(name, node.getAttribute(name).split(" ").map((id) => own.get(id) ?? id).join(" "));
  for (const link of root.querySelectorAll('a[href^="#"]')) link.hash = own.get(link.hash.slice(1)) ?? link.hash;
}

class Lookup {
  constructor(place) {
    this.place = place;
    this.several = "several" in place.dataset;
    this.name = place.dataset.name;
    this.shown = place.querySelector(".chosen");
    this.input = place.querySelector(`input[name="${CSS.escape(this.name + ".text")}"]`);
    this.options = element("div", { class: "options", role: "listbox", id: newId("options"), hidden: true });
    this.options.setAttribute("aria-label", this.input.labels?.[0]?.textContent.trim() ?? this.name);
    place.append(this.options);
    for (const [key, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": this.options.id }))
      this.input.setAttribute(key, value);
    for (const token of this.shown.querySelectorAll(".token")) this.dress(token);
    this.input.addEventListener("input", () => this.later());
    this.input.addEventListener("focus", () => this.input.value && this.later());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => setTimeout(() => this.close(), 150));
    this.options.addEventListener("mousedown", (event) => event.preventDefault());
    this.options.addEventListener("click", (event) => this.take(event.target.closest("[role=option]")));
    this.arrange();
  }

  // One value only: the field gives way to what has been chosen.
  arrange() {
    this.input.hidden = !this.several && this.shown.childElementCount > 0;
  }

  dress(token) {
    const box = token.querySelector("input");
    const text = token.querySelector("span").textContent;
    const remove = element("button", { type: "button", "aria-label": `${word("remove")} ${text}` }, "×");
    box.type = "hidden";
    remove.addEventListener("click", () => {
      token.remove();
      this.changed();
      this.input.focus();
    });
    token.append(remove);
  }

  changed() {
    this.arrange();
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  choose(id, text) {
    if (!this.several) this.shown.replaceChildren();
    if (![...this.shown.querySelectorAll("input")].some((box) => box.value === id)) {
      const box = element("input", { type: "hidden", name: this.name, value: id });
      const token = element("span", { class: "token" }, box, element("span", {}, text));
      this.dress(token);
      this.shown.append(token);
    }
    for (const candidate of this.place.querySelectorAll(".candidate")) candidate.remove();
    this.input.value = "";
    this.close();
    this.changed();
    clearTimeout(this.timer);
    // Where only this is filled in the next thing is to save it, so that Enter does.
    const save = this.place.closest(".fact-form")?.querySelector("button:not([type=button])");
    (this.several ? this.input : (save ?? this.shown.querySelector("button:last-child"))).focus();
    say(text);
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.search(), 130);
  }

  async search() {
    const text = this.input.value.trim();
    if (!text) return this.close();
    this.running?.abort();
    this.running = new AbortController();
    const url = new URL(this.place.dataset.lookup, location.href);
    url.searchParams.set("q", text);
    try {
      const { ok, fragment } = await part(url, "lookup-results", { signal: this.running.signal });
      if (!ok || document.activeElement !== this.input) return;
      for (const list of fragment.querySelectorAll("ul")) list.setAttribute("role", "presentation");
      for (const option of fragment.querySelectorAll("[role=option]")) option.id = newId("option");
      this.options.replaceChildren(fragment);
      this.options.hidden = false;
      this.input.setAttribute("aria-expanded", "true");
      this.select(this.all()[0]);
      say(this.options.textContent.trim() ? `${this.all().length}` : word("nothing"));
    } catch {
      // a newer search has taken over
    }
  }

  all() {
    return [...this.options.querySelectorAll("[role=option]")];
  }

  select(option) {
    for (const other of this.all()) other.setAttribute("aria-selected", String(other === option));
    if (option) {
      this.input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const all = this.all();
    const open = !this.options.hidden;
    const now = all.findIndex((o) => o.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) return this.search();
      this.select(all[(now + (event.key === "ArrowDown" ? 1 : all.length - 1)) % all.length]);
    } else if (event.key === "Enter" && open && all[now]) {
      event.preventDefault();
      this.take(all[now]);
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      this.close();
    } else if (event.key === "Backspace" && !this.input.value && this.several) {
      this.shown.lastElementChild?.remove();
    }
  }

  close() {
    this.options.hidden = true;
    this.options.replaceChildren();
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  take(option) {
    if (!option) return;
    if (option.dataset.create) this.create(this.asTyped(option));
    else this.choose(option.dataset.id, option.querySelector("span").textContent);
  }

  // What is offered may be of the letters before: the name is what stands in the box now.
  asTyped(option) {
    const address = new URL(option.dataset.create, location.href), typed = this.input.value.trim();
    for (const [name, value] of [...address.searchParams]) if (typed && value === option.dataset.text) address.searchParams.set(name, typed);
    return address.pathname + address.search;
  }

  async create(href) {
    this.close();
    const { ok, fragment } = await part(href, "form-quick");
    if (!ok) return void open(href, "_blank");
    const window_ = element("dialog", { class: "window" }, fragment);
    ownIds(window_);
    document.body.append(window_);
    window_.setAttribute("aria-label", window_.querySelector("h2")?.textContent ?? word("create"));
    arrived(window_);
    window_.addEventListener("close", () => (window_.remove(), this.input.hidden || this.input.focus()));
    window_.addEventListener("click", (event) => event.target.closest("[data-close]") && window_.close());
    window_.addEventListener("submit", async (event) => {
      event.preventDefault();
      const answer = await sendPart(event.target, "lookup-results", event.submitter);
      const made = answer.fragment.querySelector("[role=option][data-id]");
      if (answer.ok && made) {
        window_.close();
        this.choose(made.dataset.id, made.querySelector("span").textContent);
      } else if (answer.fragment.querySelector("form")) {
        window_.replaceChildren(answer.fragment);
        ownIds(window_);
        arrived(window_);
      }
    });
    window_.showModal();
    window_.querySelector("input:not([type=hidden])")?.focus();
  }
}

export function startLookup(root) {
  for (const place of root.querySelectorAll("[data-lookup]")) if (!place.querySelector(".options")) new Lookup(place);
}
