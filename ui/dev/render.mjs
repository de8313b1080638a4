// Renders the sample documents of tests/golden/pages to plain files and takes pictures of them, without any server.
//
//   node ui/dev/render.mjs OUTPUT [--tools DIR] [--lang es] [--only name,name] [--shots wide,phone,dark] [--axe]
//
// OUTPUT gets NAME.html, the bundle in static/ (made by build.mjs) and NAME-SHOT.png. Pictures need the packages playwright-core and
// axe-core in DIR (`npm ci` in a copy of package.json and its lock; ui/ unless said otherwise) and Chromium's headless shell. A name that no document gives is reported.
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { compile, render } from "./mustache.mjs";
import { readCatalogue } from "./catalogue.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const option = (name, otherwise) => {
  const at = process.argv.indexOf("--" + name);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const out = resolve(process.argv[2]);
const tools = resolve(option("tools", join(here, "..")));
const lang = option("lang", "es");
const only = option("only", "")?.split(",").filter(Boolean);
const shots = option("shots", "wide,phone,dark").split(",").filter(Boolean);
const axe = process.argv.includes("--axe");

mkdirSync(out, { recursive: true });
execFileSync("node", [join(here, "..", "build.mjs"), join(out, "static"), join(out, "packages")], { stdio: "inherit" });

const templates = {};
const folder = join(root, "ui", "templates");
for (const file of readdirSync(folder))
  if (file.endsWith(".mustache")) templates[file.slice(0, -9)] = compile(readFileSync(join(folder, file), "utf8"), file);

const samples = join(root, "tests", "golden", "pages");
const shared = JSON.parse(readFileSync(join(samples, "page.json"), "utf8"));
const catalogue = readCatalogue(join(root, "po", lang + ".po"));
const names = readdirSync(samples)
  .filter((f) => f.endsWith(".json") && f !== "page.json")
  .map((f) => f.slice(0, -5))
  .filter((n) => !only.length || only.includes(n));

const missing = new Set();
const parts = new Set(); // without head and foot: nothing to look at
for (const name of names) {
  const sample = JSON.parse(readFileSync(join(samples, name + ".json"), "utf8"));
  const page = structuredClone({ ...shared, ...sample.page, lang });
  for (const group of page.menu) for (const item of group.items) item.active = item.key === page.active;
  const report = (what, where) => missing.add(`${name}: {{${what}}} in ${where} is in no document`);
  const template = sample.template ?? name;
  if (!templates[template]) throw new Error(`There is no template ${template}`);
  const text = render(templates, template, { page, view: sample.view }, catalogue, report);
  if (!text.startsWith("<!doctype")) parts.add(name);
  writeFileSync(join(out, name + ".html"), text);
}
for (const line of missing) console.log(line);

const types = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2", ".png": "image/png" };
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'";
const server = createServer((request, response) => {
  const file = join(out, decodeURIComponent(new URL(request.url, "http://x").pathname));
  if (!file.startsWith(out) || !existsSync(file) || !extname(file)) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream", "content-security-policy": policy });
  response.end(readFileSync(file));
});

async function look() {
  const require = createRequire(join(tools, "package.json"));
  const { chromium } = require("playwright-core");
  const axeSource = axe ? readFileSync(require.resolve("axe-core/axe.min.js"), "utf8") : "";
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const base = `http://127.0.0.1:${server.address().port}/`;
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium-headless-shell", args: ["--no-sandbox", "--disable-gpu", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
  const kinds = {
    wide: { viewport: { width: 1440, height: 1000 } },
    middle: { viewport: { width: 1024, height: 800 } },
    phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
    dark: { viewport: { width: 1440, height: 1000 }, colorScheme: "dark" },
    plain: { viewport: { width: 1440, height: 1000 }, javaScriptEnabled: false },
  };
  let violations = 0;
  for (const shot of shots) {
    const context = await browser.newContext({ bypassCSP: axe, reducedMotion: "reduce", locale: lang, ...kinds[shot] });
    for (const name of names.filter((n) => !parts.has(n))) {
      const page = await context.newPage();
      page.on("console", (m) => m.type() === "error" && !/404/.test(m.text()) && console.log(`${name} ${shot}: ${m.text()}`));
      page.on("pageerror", (e) => console.log(`${name} ${shot}: ${e.message}`));
      await page.goto(base + name + ".html");
      await page.evaluate(() => document.fonts.ready);
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wider > 0) console.log(`${name} ${shot}: ${wider}px wider than the window`);
      await page.screenshot({ path: join(out, `${name}-${shot}.png`), fullPage: shot === "phone" });
      if (axe) {
        await page.evaluate(axeSource);
        const found = await page.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
        for (const v of found.violations) {
          violations += v.nodes.length;
          for (const n of v.nodes.slice(0, 4)) console.log(`axe ${name} ${shot}: ${v.id}: ${n.html.slice(0, 160)} ${n.any.map((a) => a.message).join(" ").slice(0, 200)}`);
        }
      }
      await page.close();
    }
    await context.close();
  }
  await browser.close();
  server.close();
  if (axe) console.log(`${names.length - parts.size} pages, ${shots.length} looks, ${violations} violations`);
  if (violations || missing.size) process.exitCode = 1;
}
if (shots.length) await look();
