// Files are sent as soon as they are chosen or dropped, in pieces (docs/files.md): their progress is shown, they go on after a broken
// connection, also after the page was loaded anew and the same file is chosen again, and can be cancelled. The form then only
// names what is there already. Without this file the form carries its files itself.
import { element, icon, say, word } from "./words.js";

const PIECE = 4 << 20;
const PAUSES = [500, 1000, 2000, 4000, 8000, 15000];
const csrf = () => document.querySelector("meta[name=csrf]")?.content ?? "";
const under = new Map(); // form -> uploads under way

class Refused extends Error {}
class Cancelled extends Error {}

function bytesText(n) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const step = n < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(n) / 3));
  return new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: units[step], maximumFractionDigits: step > 1 ? 1 : 0 })
    .format(n / 1000 ** step);
}

async function checksum(blob) {
  if (!globalThis.crypto?.subtle) return null; // only of sites with TLS and of this machine
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return `sha256 ${btoa(String.fromCharCode(...digest))}`;
}

class Upload {
  constructor(file, tell) {
    this.file = file;
    this.tell = tell;
    this.memory = `cronista-upload ${file.name} ${file.size} ${file.lastModified}`;
    this.offset = 0;
  }

  ask(method, path, headers = {}, body = null, onProgress = null) {
    if (this.cancelled) return Promise.reject(new Cancelled());
    return new Promise((done, failed) => {
      const request = (this.request = new XMLHttpRequest());
      request.open(method, path);
      request.setRequestHeader("Cronista-Csrf", csrf());
      for (const [name, value] of Object.entries(headers)) if (value) request.setRequestHeader(name, value);
      request.onload = () => done(request);
      request.onerror = request.ontimeout = () => failed(new Error("connection"));
      request.onabort = () => failed(new Cancelled());
      if (onProgress) request.upload.onprogress = (event) => onProgress(event.loaded);
      request.send(body);
    });
  }

  // What the server says against it, when trying again would not help.
  refuse(request) {
    if (request.status < 400 || request.status >= 500 || [408, 409, 429, 460].includes(request.status)) return;
    let detail = "";
    try {
      detail = JSON.parse(request.responseText).detail;
    } catch { /* a proxy's page, perhaps */ }
    throw new Refused(detail || word("failed"));
  }

  async begin() {
    const body = JSON.stringify({ name: this.file.name, size: this.file.size });
    const request = await this.ask("POST", "/api/uploads", { "Content-Type": "application/json" }, body);
    this.refuse(request);
    if (request.status !== 201) throw new Error("not begun");
    this.path = request.getResponseHeader("Location");
    localStorage.setItem(this.memory, this.path);
  }

  // Where to go on; begins when it is nowhere.
  async find() {
    this.path ??= localStorage.getItem(this.memory);
    if (this.path) {
      const request = await this.ask("GET", this.path);
      const there = request.status === 200 ? JSON.parse(request.responseText) : null;
      if (!there && request.status !== 404) throw new Error("no answer");
      if (there && there.size === this.file.size) {
        this.offset = there.offset;
        return there.value;
      }
      this.path = null;
    }
    this.offset = 0;
    await this.begin();
    return null;
  }

  // One piece. The value once it was the last one.
  async piece() {
    const blob = this.file.slice(this.offset, this.offset + PIECE);
    const headers = { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(this.offset), "Upload-Checksum": await checksum(blob) };
    const from = this.offset;
    const request = await this.ask("PATCH", this.path, headers, blob, (sent) => this.tell("sending", Math.min(from + sent, this.file.size)));
    this.refuse(request);
    if (request.status !== 200 && request.status !== 204) throw new Error("not taken");
    this.offset += blob.size;
    return request.status === 200 ? JSON.parse(request.responseText).value : null;
  }

  async rest(tries) {
    this.tell("waiting", this.offset);
    await new Promise((go) => {
      this.wake = go;
      setTimeout(go, PAUSES[Math.min(tries, PAUSES.length - 1)]);
      addEventListener("online", go, { once: true });
    });
  }

  async run() {
    for (let tries = 0, value = null, known = false; ; ) {
      try {
        if (!known) value = await this.find();
        known = true;
        this.tell("sending", this.offset);
        while (!value) {
          value = await this.piece();
          tries = 0;
        }
        localStorage.removeItem(this.memory);
        return value;
      } catch (error) {
        known = false;
        if (error instanceof Refused) localStorage.removeItem(this.memory);
        if (error instanceof Refused || error instanceof Cancelled) throw error;
        await this.rest(tries++);
      }
    }
  }

  cancel() {
    this.cancelled = true;
    localStorage.removeItem(this.memory);
    this.request?.abort();
    this.wake?.();
    if (this.path) fetch(this.path, { method: "DELETE", headers: { "Cronista-Csrf": csrf() } }).catch(() => {});
  }
}

function row(file) {
  const bar = element("progress", { max: file.size, value: 0, "aria-label": file.name });
  const state = element("span", { class: "quiet upload-state" });
  const stop = element("button", { type: "button", class: "small-button", title: word("cancel"), "aria-label": `${word("cancel")}: ${file.name}` }, icon("x"));
  const line = element("li", {}, element("span", { class: "upload-name" }, file.name), bar, state, stop);
  return { line, bar, state, stop };
}

function keepIn(input, value, line) {
  const many = input.multiple;
  const control = input.closest(".control, .attachments") ?? input.parentElement;
  const name = `${input.name}.kept`;
  if (!many) for (const old of control.querySelectorAll(`input[type=hidden][name="${name}"]`)) old.remove();
  line.append(element("input", { type: "hidden", name, value: JSON.stringify(value) }));
  const remove = control.querySelector(`[name="${input.name}.remove"]`);
  if (remove) remove.checked = false;
  input.required = false;
  input.removeAttribute("aria-invalid");
}

function release(form) {
  const waits = under.get(form);
  if (waits.going.size) return;
  const { submitter } = waits;
  waits.held = false;
  waits.submitter = null;
  if (waits.send) {
    waits.send = false;
    form.requestSubmit(submitter?.isConnected ? submitter : undefined);
  }
}

function hold(form) {
  if (under.has(form)) return under.get(form);
  const waits = { going: new Set(), send: false, submitter: null };
  under.set(form, waits);
  form.addEventListener("submit", (event) => {
    if (!waits.going.size) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    waits.send = true;
    waits.submitter = event.submitter;
    say(word("upload-held"));
    for (const place of form.querySelectorAll(".uploads .upload-state")) place.dataset.held = "1";
  }, true);
  return waits;
}

async function send(input, list, file) {
  const { line, bar, state, stop } = row(file);
  const form = input.form;
  const waits = hold(form);
  if (!input.multiple) {
    for (const old of list.children) old.querySelector("button")?.click();
    list.replaceChildren();
  }
  list.append(line);
  const limit = Number(input.dataset.limit);
  const upload = new Upload(file, (what, sent) => {
    bar.value = sent;
    const last = sent >= file.size;
    state.textContent = what === "waiting" ? word("upload-waiting") : last ? word("upload-checked") : `${bytesText(sent)} / ${bytesText(file.size)}`;
  });
  const gone = () => {
    upload.cancel();
    line.remove();
    waits.going.delete(upload);
    waits.send = false;
  };
  stop.addEventListener("click", gone);
  waits.going.add(upload);
  try {
    if (limit && file.size > limit) throw new Refused(word("upload-large", bytesText(limit)));
    if (!file.size) throw new Refused(word("upload-empty"));
    const value = await upload.run();
    keepIn(input, value, line);
    bar.remove();
    state.textContent = bytesText(file.size);
    line.classList.add("done");
    say(word("upload-done", file.name));
    waits.going.delete(upload);
    release(form);
  } catch (error) {
    waits.going.delete(upload);
    waits.send = false;
    if (error instanceof Cancelled) return;
    bar.remove();
    state.textContent = error.message;
    state.className = "problem";
    state.setAttribute("role", "alert");
  }
}

function sends(input) {
  const place = input.closest("label") ?? input;
  const list = element("ul", { class: "uploads" });
  const name = place.querySelector("[data-file]");
  const none = name?.textContent;
  place.after(list);
  input.addEventListener("change", () => {
    const files = input.multiple ? [...input.files] : [...input.files].slice(0, 1);
    if (!files.length) return;
    input.value = ""; // what is sent here is not sent with the form again
    if (name) name.textContent = none;
    for (const file of files) send(input, list, file);
  });
  input.form.addEventListener("reset", () => {
    for (const line of [...list.children]) line.querySelector("button")?.click();
  });
}

export function startUploads(root) {
  for (const input of root.querySelectorAll("input[type=file][data-upload]")) if (input.form) sends(input);
}
