// Ctrl K: finds and does anything. Commands are what the page offers (menu, New, buttons of the heading); records come from the search.
import { part } from "./part.js";
import { element, fold, icon, newId, word } from "./words.js";

let dialog = null;

function commands() {
  const list = [];
  const add = (group, link, key) => list.push({ group, text: link.textContent.replace(/\s*\d+$/, "").trim(), href: link.getAttribute("href"), icon: link.querySelector("use")?.getAttribute("href").split("#")[1], key });
  for (const link of document.querySelectorAll(".heading-end a.button[href]")) if (link.textContent.trim()) add("", link);
  for (const link of document.querySelectorAll(".rail li a")) add(word("go"), link);
  for (const link of document.querySelectorAll(".top .menu:not(.menu-new) .panel a")) add(word("go"), link);
  for (const link of document.querySelectorAll(".menu-new .panel a")) add(word("create"), link);
  return list;
}

class Palette {
  constructor() {
    const id = newId("palette");
    this.input = element("input", { type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": id, "aria-autocomplete": "list", "aria-label": word("find"), placeholder: word("find"), autocomplete: "off", spellcheck: "false" });
    this.list = element("div", { id, role: "listbox", "aria-label": word("find") });
    this.node = element("dialog", { class: "window palette", "aria-label": word("find") }, this.input, this.list);
    this.commands = commands();
    this.results = [];
    document.body.append(this.node);
    this.input.addEventListener("input", () => this.changed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.node.addEventListener("close", () => (this.node.remove(), (dialog = null)));
    this.node.addEventListener("click", (event) => event.target === this.node && this.node.close());
    this.node.showModal();
    this.draw();
  }

  group(title, iconName, links) {
    const head = element("h2", { id: newId("group"), role: "presentation" }, ...(iconName ? [icon(iconName)] : []), title);
    const list = element("ul", { role: "presentation" }, ...links.map((link) => element("li", { role: "presentation" }, link)));
    return element("section", { class: "found-group", role: "group", "aria-labelledby": head.id }, head, list);
  }

  command(item) {
    return element("a", { href: item.href, role: "option", id: newId("option"), tabindex: "-1" }, ...(item.icon ? [icon(item.icon)] : []), element("span", {}, item.text));
  }

  draw() {
    const wanted = fold(this.input.value.trim());
    const found = this.commands.filter((c) => fold(`${c.group} ${c.text}`).includes(wanted)).slice(0, wanted ? 6 : 40);
    const groups = [];
    if (wanted) groups.push(...this.results);
    for (const title of new Set(found.map((c) => c.group)))
      groups.push(this.group(title, null, found.filter((c) => c.group === title).map((c) => this.command(c))));
    this.list.replaceChildren(...groups);
    if (!groups.length) this.list.append(element("p", { class: "nothing" }, word(this.running ? "loading" : "nothing")));
    this.select(this.all()[0]);
  }

  all() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  select(option) {
    for (const other of this.all()) other.setAttribute("aria-selected", String(other === option));
    if (option) {
      this.input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else this.input.removeAttribute("aria-activedescendant");
  }

  changed() {
    clearTimeout(this.timer);
    this.running?.abort();
    this.running = null;
    this.results = [];
    const text = this.input.value.trim();
    if (text) this.timer = setTimeout(() => this.search(text), 110);
    this.draw();
  }

  async search(text) {
    const mine = (this.running = new AbortController());
    try {
      const { ok, fragment } = await part(`/search?q=${encodeURIComponent(text)}`, "palette-results", { signal: mine.signal });
      if (mine !== this.running) return;
      this.running = null;
      if (!ok) return this.draw();
      for (const list of fragment.querySelectorAll("ul, li, h2")) list.setAttribute("role", "presentation");
      for (const link of fragment.querySelectorAll("li a")) {
        link.setAttribute("role", "option");
        link.tabIndex = -1;
        link.id = newId("option");
      }
      for (const all of fragment.querySelectorAll("h2 a")) all.remove();
      for (const section of fragment.querySelectorAll("section")) section.setAttribute("role", "group");
      this.results = [...fragment.children];
      this.draw();
    } catch {
      // a newer search has taken over
    }
  }

  key(event) {
    const all = this.all();
    const now = all.findIndex((o) => o.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (all.length) this.select(all[(now + (event.key === "ArrowDown" ? 1 : all.length - 1)) % all.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const href = all[now]?.href ?? `/search?q=${encodeURIComponent(this.input.value)}`;
      if (event.ctrlKey || event.metaKey) open(href, "_blank");
      else location.href = href;
    }
  }
}

export function openPalette() {
  if (document.querySelector("dialog[open]")) return;
  dialog = new Palette();
}

export function startPalette() {
  const find = document.querySelector("[data-palette] input");
  find?.addEventListener("mousedown", (event) => {
    if (find.value) return;
    event.preventDefault();
    openPalette();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k" && find) {
      event.preventDefault();
      if (dialog) dialog.node.close();
      else openPalette();
    }
  });
}
