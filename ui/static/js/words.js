// Texts that scripts show, translated by the page: <template id="words"> in foot.mustache.
let words = null;

export function word(key, ...values) {
  if (!words) {
    words = new Map();
    const holder = document.getElementById("words");
    for (const item of holder?.content.querySelectorAll("[data-word]") ?? []) words.set(item.dataset.word, item.textContent);
  }
  return (words.get(key) ?? key).replace(/\{(\d)\}/g, (all, i) => values[i] ?? all);
}

// Says something to those who listen.
export function say(text) {
  let line = document.getElementById("said-aloud");
  if (!line) {
    line = element("p", { id: "said-aloud", class: "hush", role: "status" });
    document.body.append(line);
  }
  line.textContent = "";
  setTimeout(() => (line.textContent = text), 50);
}

export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

export function icon(name) {
  const sample = document.querySelector("svg use");
  const base = sample?.getAttribute("href").split("#")[0] ?? "";
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${base}#${name}`);
  svg.append(use);
  return svg;
}

// For comparing without accents and case.
export const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

let serial = 0;
export const newId = (prefix) => `${prefix}-${++serial}`;
