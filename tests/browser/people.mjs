// People with a browser. Whatever a page complains about (errors and refusals of the content security policy on the console,
// exceptions) is kept and fails the story at its end.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { chromium } from "playwright-core";
import { readCatalogue } from "../../ui/dev/catalogue.mjs";
import { Server, root, until } from "./server.mjs";

export const wide = { viewport: { width: 1440, height: 1000 } };
export const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
export const languages = ["es", "pl"];

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const catalogues = new Map();

// A text of the pages in a language, as the catalogues have it.
export function words(language) {
  if (!catalogues.has(language)) {
    const catalogue = readCatalogue(join(root, "po", `${language}.po`));
    catalogues.set(language, (id, ...values) => catalogue.text(id).replace(/\{(\d)\}/g, (all, i) => values[i] ?? all));
  }
  return catalogues.get(language);
}

let artefacts = null;
export function artefactPath(name) {
  if (!artefacts) {
    artefacts = process.env.CRONISTA_ARTEFACTS ? join(process.env.CRONISTA_ARTEFACTS, "browser") : mkdtempSync(join(tmpdir(), "cronista-pictures-"));
    if (!existsSync(artefacts)) mkdirSync(artefacts, { recursive: true });
  }
  return join(artefacts, name);
}

// The server and the browser that the stories of one file share; `prepare` fills the server before the first of them.
export class World {
  constructor(prepare = async () => {}, options = {}) {
    this.people = [];
    this.signedIn = new Map();
    this.administrators = new Map();
    before(async () => {
      [this.server, this.browser] = await Promise.all([Server.start(options), chromium.launch({
        executablePath: process.env.CHROMIUM || "/usr/bin/chromium-headless-shell",
        args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
      })]);
      await prepare(this.server);
    });
    after(async () => {
      await this.browser?.close();
      await this.server?.stop();
    });
  }

  // Somebody in front of an empty window, not signed in.
  async stranger({ language = "es", device = wide, ...more } = {}) {
    const person = new Person(this, language);
    person.context = await this.browser.newContext({ baseURL: this.server.url, locale: language, reducedMotion: "reduce", timezoneId: "Europe/Madrid", ...device, ...more });
    person.context.setDefaultTimeout(20000);
    person.page = await person.context.newPage();
    person.watch(person.page);
    this.people.push(person);
    return person;
  }

  // An administrator whose language that is.
  administrator(language) {
    if (!this.administrators.has(language))
      this.administrators.set(language, this.server.user({ es: "Laura Méndez", pl: "Jan Kowalski", ro: "Ion Popescu" }[language], { profile: "administrator", language }));
    return this.administrators.get(language);
  }

  // Somebody signed in; without a user an administrator.
  async person(options = {}) {
    const language = options.language ?? "es";
    const user = options.user ?? (await this.administrator(language));
    const key = `${user.email} ${language}`;
    if (!this.signedIn.has(key)) {
      const first = await this.stranger({ language });
      await first.signIn(user);
      this.signedIn.set(key, await first.context.storageState());
      await first.leave();
    }
    return this.stranger({ ...options, storageState: this.signedIn.get(key) });
  }

  // A story: everyone in it leaves at its end, and nobody's pages have complained.
  story(tell) {
    return async () => {
      this.people = [];
      try {
        await tell();
        for (const person of this.people) person.checkComplaints();
      } catch (error) {
        const last = this.people.findLast((p) => !p.page.isClosed());
        if (last) {
          const path = artefactPath(`failed-${Date.now()}.png`);
          await last.page.screenshot({ path }).catch(() => {});
          error.message += `\n  at ${last.page.url()}, pictured in ${path}${this.people.flatMap((p) => p.complaints).map((c) => `\n  page: ${c}`).join("")}`;
        }
        throw error;
      } finally {
        for (const person of this.people) await person.leave();
      }
    };
  }
}

class Person {
  constructor(world, language) {
    Object.assign(this, { world, language, t: words(language), complaints: [], expected: [] });
  }

  watch(page) {
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      this.complaints.push(`${message.text()} (${message.location().url ?? ""})`);
    });
    page.on("pageerror", (error) => this.complaints.push(`${error.stack ?? error.message}`));
  }

  // The story means the server to refuse something with this status, which browsers tell on the console.
  expects(status) {
    this.expected.push(status);
  }

  checkComplaints() {
    const refusal = (c) => this.expected.some((status) => c.includes(`responded with a status of ${status} `));
    assert.deepEqual(this.complaints.filter((c) => !refusal(c)), [], `what pages of ${this.page.url()} complained about`);
  }

  async leave() {
    await this.context.close();
  }

  async goto(path) {
    const response = await this.page.goto(path);
    assert.ok(response.ok() || this.expected.includes(response.status()), `${path}: ${response.status()}`);
  }

  at(selector, options) {
    return this.page.locator(selector, options);
  }

  button(name, within = this.page) {
    return within.getByRole("button", { name: this.t(name), exact: true });
  }

  async signIn({ email, password }) {
    await this.goto("/sign-in");
    await this.page.fill("#email", email);
    await this.page.fill("#password", password);
    await Promise.all([this.page.waitForURL((url) => url.pathname !== "/sign-in"), this.page.click(".gate-sheet button")]);
  }

  sees(selector, text, milliseconds) {
    const locator = typeof selector === "string" ? this.at(selector) : selector;
    return until(async () => {
      const all = await locator.allInnerTexts();
      const found = all.some((one) => (text instanceof RegExp ? text : { test: (s) => s.includes(text ?? "") }).test(one.replace(/\s+/g, " ")));
      if (!found && all.length) throw new Error(`there is ${JSON.stringify(all).slice(0, 600)}`);
      return found;
    }, `${this.page.url()} shows ${text ?? ""} in ${selector}`, milliseconds);
  }

  count(selector, wanted, milliseconds) {
    return until(async () => {
      const there = await this.at(selector).count();
      if (there !== wanted) throw new Error(`there are ${there}`);
      return true;
    }, `${wanted} of ${selector}`, milliseconds);
  }

  address(test, what = String(test)) {
    return until(() => {
      const { pathname, search } = new URL(this.page.url());
      if (test instanceof RegExp ? test.test(pathname + search) : pathname + search === test) return true;
      throw new Error(`it is ${pathname + search}`);
    }, `the address is ${what}`);
  }

  async picture(name, options = {}) {
    await this.page.evaluate(() => document.fonts.ready);
    await this.page.screenshot({ path: artefactPath(`${name}.png`), ...options });
  }

  // What axe-core finds wrong on the page as it stands; `rules` leaves out all others. Of a page with an open menu the menu is
  // looked at: what it half covers would be called too small to be hit.
  async accessible(where, rules = null) {
    await this.page.evaluate(axeSource);
    const found = await this.page.evaluate((only) =>
      window.axe.run(document.querySelector("details.menu[open]") ?? document, { resultTypes: ["violations"], runOnly: only ?? ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }), rules);
    const lines = found.violations.flatMap((v) => v.nodes.slice(0, 4).map((n) => `${v.id}: ${n.html.slice(0, 200)} ${[...n.any, ...n.all, ...n.none].map((a) => a.message).join(" ").slice(0, 250)}`));
    assert.deepEqual(lines, [], `axe-core on ${where}`);
    assert.ok(found.passes.length > 0, `axe-core looked at ${where}`);
    const wider = await this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wider <= 0, `${where} is ${wider}px wider than the window`);
  }
}

export { until };
