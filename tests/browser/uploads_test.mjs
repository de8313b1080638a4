// Files in forms: sent at once and in pieces, going on by themselves after a broken connection, cancelled, dropped, refused.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { World, languages } from "./people.mjs";

const world = new World();
const line = "un renglon de texto ni mayor ni menor que los otros\n";
const text = (size) => Buffer.from(line.repeat(Math.ceil(size / Buffer.byteLength(line)))).subarray(0, size);

// On the disk: large ones take long through the browser's wire.
function file(name, size) { // or its bytes
  const path = join(world.server.folder, name);
  writeFileSync(path, typeof size === "number" ? text(size) : size);
  return path;
}
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
  const long = file("largo.txt", 9_000_000);
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
  await ana.page.setInputFiles(input, long);
  while (offsets.length < 2) await new Promise((go) => setTimeout(go, 20));
  stop = false;
  await ana.page.evaluate(() => document.querySelector("form[data-guard]")?.dispatchEvent(new Event("kept")));
  await ana.goto("/cases/new");
  await ana.page.fill("[name=subject]", "Otra vez");
  await ana.page.setInputFiles(input, long);
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

const png = Buffer.from("89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301010018dd8db00000000049454e44ae426082", "hex");
const pdf = Buffer.from("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj 3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\nxref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000052 00000 n \n0000000101 00000 n \ntrailer<</Size 4/Root 1 0 R>>\nstartxref\n164\n%%EOF\n");

async function keep(name, bytes) {
  const { server } = world;
  const response = await fetch(`${server.url}/api/files?name=${encodeURIComponent(name)}`, {
    method: "POST", headers: { Authorization: `Bearer ${server.key}`, "Content-Type": "application/octet-stream" }, body: bytes });
  return response.json();
}

for (const language of languages)
  test(`a picture is shown in a window and a comment brings files: ${language}`, world.story(async () => {
    const id = await world.server.make("cases", { subject: "Con imagen", attachment: await keep("foto.png", Buffer.concat([png, Buffer.from(language)])) });
    const ana = await world.person({ language });
    await ana.goto(`/cases/${id}`);
    const link = ana.at(".fact[data-key=attachment] a[data-viewer]");
    assert.equal(await link.locator("img.thumb").evaluate((one) => one.decode().then(() => one.naturalWidth)), 1);
    await link.click();
    const picture = ana.at("dialog.viewer img");
    await picture.waitFor();
    assert.equal(await picture.evaluate((one) => one.decode().then(() => one.naturalWidth)), 1);
    await ana.accessible("the window of a picture");
    await ana.page.keyboard.press("Escape");
    await ana.count("dialog.viewer", 0);
    assert.ok(await link.evaluate((one) => one === document.activeElement));
    await ana.page.setInputFiles("#say input[type=file]", [file("uno.txt", 3000), file("dos.pdf", pdf)]);
    await ana.count("#say .uploads li.done", 2);
    await ana.accessible("a comment with files");
    await ana.page.fill("#comment", "Van adjuntos");
    await ana.page.click("#say button.go");
    await ana.sees(".event .attached", "dos.pdf");
    await ana.sees(".event .attached", "uno.txt");
    await ana.count("#say .uploads li", 0);
    await ana.accessible("a card with attachments");
    await ana.at(".event .attached a[data-viewer=text]").click();
    await ana.at("dialog.viewer iframe").waitFor();
    await ana.page.frameLocator("dialog.viewer iframe").locator("text=un renglon").first().waitFor();
  }));

test("a PDF is shown in the window", world.story(async () => {
  const id = await world.server.make("cases", { subject: "Con PDF", attachment: await keep("oferta.pdf", pdf) });
  const ana = await world.person();
  await ana.goto(`/cases/${id}`);
  const loaded = ana.page.waitForResponse((response) => response.url().includes("/documents/"));
  await ana.at(".fact[data-key=attachment] a[data-viewer=document]").click();
  const response = await loaded;
  assert.equal(response.headers()["content-type"], "application/pdf");
  assert.ok(response.headers()["content-disposition"].startsWith("inline"));
  await ana.page.waitForTimeout(600); // what the browser's viewer complains about it does now
}));

test("a document deleted for good goes from the other's card at once", world.story(async () => {
  const id = await world.server.make("cases", { subject: "Dos miran", attachment: await keep("privado.txt", Buffer.from("Privado\n")) });
  const [ana, jan] = [await world.person(), await world.person({ language: "pl" })];
  for (const who of [ana, jan]) {
    await who.goto(`/cases/${id}`);
    await who.at(".fact[data-key=attachment] a").first().waitFor();
    await who.at("[data-live]:not([hidden])").waitFor();
  }
  await ana.at(".fact[data-key=attachment] a.erase").click();
  await ana.sees("h1", ana.t("Delete {0} for good?", "privado.txt"));
  await ana.accessible("asking before a document is deleted");
  await ana.page.click("form.ask button.danger");
  await ana.sees(".flash", ana.t("The document was deleted for good."));
  await jan.sees(".event .what p", "privado.txt", 3000);
  await jan.sees(".fact[data-key=attachment] dd", "—", 3000);
  await jan.count(`a[href*="/documents/"]`, 0, 3000);
  await ana.accessible("a card whose document is gone");
}));
