// Makes the files that pages refer to: app.js, app.css, icons.svg, favicon.svg and the fonts.
//
//   node ui/build.mjs OUTPUT_DIRECTORY [PACKAGES_DIRECTORY]
//
// The npm packages are installed in PACKAGES_DIRECTORY (beside the output unless said otherwise), and only when the lock file has
// changed since; afterwards no network is needed.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "dist"));
const packages = resolve(process.argv[3] ?? join(out, "packages"));

function installPackages() {
  const stamp = join(packages, "installed.json");
  const wanted = readFileSync(join(here, "package-lock.json"), "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  mkdirSync(packages, { recursive: true });
  for (const name of ["package.json", "package-lock.json"])
    copyFileSync(join(here, name), join(packages, name));
  const options = ["ci", "--omit=dev", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
  try {
    execFileSync("npm", options, { cwd: packages, stdio: ["ignore", "ignore", "inherit"] });
  } catch {
    console.error(`The packages of the pages could not be installed in ${packages}: see npm's message above.`);
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}

// Names of the icons in use: written in templates, given by the modules, or listed because only documents name them.
function iconNames() {
  const names = new Set();
  const templates = join(here, "templates");
  for (const file of readdirSync(templates))
    for (const [, name] of readFileSync(join(templates, file), "utf8").matchAll(/\.icons\}\}#([a-z0-9-]+)"/g))
      names.add(name);
  const modules = join(here, "..", "modules");
  for (const file of existsSync(modules) ? readdirSync(modules) : [])
    if (file.endsWith(".json")) names.add(JSON.parse(readFileSync(join(modules, file), "utf8")).icon);
  for (const line of readFileSync(join(here, "icons.txt"), "utf8").split("\n"))
    if (line && !line.startsWith("#")) names.add(line.trim());
  names.delete("logo");
  names.delete(undefined);
  return [...names].sort();
}

// Colour and width of the strokes come from the style sheet, so they are taken out here.
function symbol(name, set) {
  const parent = set.aliases?.[name]?.parent ?? name;
  const icon = set.icons[parent];
  if (!icon) throw new Error(`There is no icon "${name}".`);
  const body = icon.body.replace(/ (fill="none"|stroke(-[a-z]+)?="[^"]*")/g, "").replace(/^<g>(.*)<\/g>$/s, "$1");
  return `<symbol id="${name}" viewBox="0 0 24 24">${body}</symbol>`;
}

function writeIcons(require) {
  const set = require("@iconify-json/lucide/icons.json");
  const logo = readFileSync(join(here, "static", "logo.svg"), "utf8");
  const inner = logo.replace(/^[\s\S]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "").trim();
  const symbols = iconNames().map((name) => symbol(name, set));
  symbols.push(`<symbol id="logo" viewBox="0 0 24 24">${inner}</symbol>`);
  writeFileSync(join(out, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`);
  copyFileSync(join(here, "static", "favicon.svg"), join(out, "favicon.svg"));
}

function copyFonts(require) {
  const files = join(dirname(require.resolve("@fontsource-variable/inter/package.json")), "files");
  for (const subset of ["latin", "latin-ext"])
    copyFileSync(join(files, `inter-${subset}-wght-normal.woff2`), join(out, `inter-${subset}.woff2`));
}

async function bundle(require) {
  const esbuild = require("esbuild");
  const common = { bundle: true, minify: true, nodePaths: [join(packages, "node_modules")], logLevel: "warning", legalComments: "none" };
  await esbuild.build({ ...common, entryPoints: [join(here, "static", "js", "app.js")], outfile: join(out, "app.js"),
    format: "esm", target: "es2022" });
  await esbuild.build({ ...common, entryPoints: [join(here, "static", "app.css")], outfile: join(out, "app.css"),
    external: ["*.woff2"], target: ["chrome123", "firefox121", "safari17.5"] });
}

mkdirSync(out, { recursive: true });
installPackages();
const require = createRequire(join(packages, "package.json"));
writeIcons(require);
copyFonts(require);
await bundle(require);
