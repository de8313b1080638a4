// Files in forms: sent at once and in pieces, going on by themselves after a broken connection, cancelled, dropped, refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, languages } from "./people.mjs";

const world = new World();
const line = "una línea de texto, ni más ni menos que las otras\n";
const text = (size) => Buffer.from(line.repeat(Math.ceil(size / Buffer.byteLength(line)))).subarray(0, size);
const file = (name, size) => ({ name, mimeType: "text/plain", buffer: text(size) });
const input = "#f-attachment";

async function open(language = "es") {
  const ana = await world.person({ language });
  await ana.goto("/cases/new");
  await ana.page.fill("[name=subject]", "Con un archivo");
  return ana;
}

async function saved(ana) {
  await ana.page.click(".form .form-foot button.go");
  await ana.address(/^\/cases\/\d+$/);
  const id = Number(new URL(ana.page.url()).pathname.split("/")[2]);
  return (await world.server.api("GET", `/cases/${id}`)).attachment;
}

for (const language of languages)
  test(`a file is sent while the form is filled in: ${language}`, world.story(async () => {
    const ana = await open(language);
    await ana.page.setInputFiles(input, file("Informe año.txt", 10_000_000));
    await ana.at(".uploads li.done", { hasText: "Informe año.txt" }).waitFor();
    await ana.accessible("a form with a file that is there");
    const kept = await saved(ana);
    assert.equal(kept.name, "Informe año.txt");
    assert.equal(kept.size, 10_000_000);
  }));

test("after a broken connection it goes on where it was, and saving waits for it", world.story(async () => {
  const ana = await open();
  const offsets = [];
  let broken = 0;
  ana.complaints.push = (one) => (/ERR_CONNECTION_RESET/.test(one) ? 0 : Array.prototype.push.call(ana.complaints, one)); // what the story does
  await ana.page.route("**/api/uploads/*", async (route) => {
    const request = route.request();
    if (request.method() !== "PATCH") return route.continue();
    offsets.push(Number(request.headers()["upload-offset"]));
    if (offsets.length === 2 && !broken++) return route.abort("connectionreset");
    await new Promise((go) => setTimeout(go, 150));
    return route.continue();
  });
  await ana.page.setInputFiles(input, file("grande.txt", 13_000_000));
  await ana.at(".uploads progress").waitFor();
  const kept = await saved(ana);
  assert.equal(kept.size, 13_000_000);
  assert.deepEqual(offsets, [0, 4194304, 4194304, 8388608, 12582912]);
}));

test("chosen again after the page was loaded anew it goes on", world.story(async () => {
  const ana = await open();
  const folder = world.server.folder;
  const { writeFileSync } = await import("node:fs");
  writeFileSync(`${folder}/largo.txt`, text(9_000_000));
  let stop = true;
  const offsets = [];
  await ana.page.route("**/api/uploads/*", async (route) => {
    const request = route.request();
    if (request.method() === "PATCH") {
      offsets.push(Number(request.headers()["upload-offset"]));
      if (stop && offsets.length === 2) return; // and no answer ever
    }
    return route.continue();
  });
  await ana.page.setInputFiles(input, `${folder}/largo.txt`);
  while (offsets.length < 2) await new Promise((go) => setTimeout(go, 20));
  stop = false;
  await ana.page.evaluate(() => document.querySelector("form[data-guard]")?.dispatchEvent(new Event("kept")));
  await ana.goto("/cases/new");
  await ana.page.fill("[name=subject]", "Otra vez");
  await ana.page.setInputFiles(input, `${folder}/largo.txt`);
  assert.equal((await saved(ana)).size, 9_000_000);
  assert.deepEqual(offsets, [0, 4194304, 4194304, 8388608]);
}));

test("cancelled it is gone, and another may be dropped in its place", world.story(async () => {
  const ana = await open();
  let hold = true;
  await ana.page.route("**/api/uploads/*", (route) => (hold && route.request().method() === "PATCH" ? null : route.continue()));
  await ana.page.setInputFiles(input, file("no.txt", 1000));
  await ana.at(".uploads progress").waitFor();
  await ana.page.waitForTimeout(200);
  await ana.at(".uploads button").click();
  await ana.count(".uploads li", 0);
  hold = false;
  const drop = await ana.page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(["soltado"], "soltado.txt", { type: "text/plain" }));
    return data;
  });
  await ana.page.dispatchEvent(`label.file:has(${input})`, "drop", { dataTransfer: drop });
  await ana.at(".uploads li.done", { hasText: "soltado.txt" }).waitFor();
  const kept = await saved(ana);
  assert.equal(kept.name, "soltado.txt");
  assert.equal((await world.server.api("GET", "/uploads")).items.length, 0);
}));

test("a program is refused at its place, with the reason", world.story(async () => {
  const ana = await open("pl");
  ana.expects(422);
  const elf = Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]), Buffer.alloc(3000)]);
  await ana.page.setInputFiles(input, { name: "vacaciones.jpg", mimeType: "image/jpeg", buffer: elf });
  await ana.sees(".uploads .problem", ana.t("Files that can be executed are not accepted."));
  await ana.accessible("a file that was refused");
}));

test("without scripts the form carries its file", world.story(async () => {
  const ana = await world.person({ javaScriptEnabled: false });
  await ana.goto("/cases/new");
  await ana.page.fill("[name=subject]", "Sin scripts");
  await ana.page.setInputFiles(input, file("solo.txt", 5000));
  assert.equal((await saved(ana)).size, 5000);
}));
