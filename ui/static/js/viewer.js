// Documents that a browser can show are shown in a window over the page: pictures, PDF, texts, sound and films with the browser's own
// players. Without this file, or with Ctrl, the link opens them by itself.
import { element, icon, word } from "./words.js";

const shows = {
  image: (href, name) => element("img", { src: href, alt: name }),
  document: (href, name) => element("iframe", { src: href, title: name }),
  text: (href, name) => element("iframe", { src: href, title: name, sandbox: "" }),
  audio: (href, name) => element("audio", { src: href, controls: true, "aria-label": name }),
  video: (href, name) => element("video", { src: href, controls: true, "aria-label": name }),
};

function open(link) {
  const { href } = link;
  const name = (link.querySelector("[data-title]") ?? link).textContent.trim();
  const heading = element("h2", { id: "viewer-name" }, name);
  const save = element("a", { class: "button", href: `${href}?download=1`, download: true }, icon("download"), element("span", {}, word("save-file")));
  const shut = element("button", { type: "button", class: "button bare", "aria-label": word("close"), title: word("close") }, icon("x"));
  const body = shows[link.dataset.viewer](href, name);
  const content = element("div", { class: "viewer-body" }, body);
  const window_ = element("dialog", { class: "viewer", "aria-labelledby": "viewer-name" }, element("header", {}, heading, save, shut), content);
  body.addEventListener("error", () => {
    content.replaceChildren(element("p", { class: "nothing", role: "alert" }, word("not-shown")));
  });
  shut.addEventListener("click", () => window_.close());
  window_.addEventListener("click", (event) => {
    if (event.target === window_) window_.close(); // beside it
  });
  window_.addEventListener("close", () => {
    window_.remove();
    if (link.isConnected) link.focus();
  });
  document.body.append(window_);
  window_.showModal();
  shut.focus();
}

export function startViewer() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-viewer]");
    if (!link || !shows[link.dataset.viewer] || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(link);
  });
}
