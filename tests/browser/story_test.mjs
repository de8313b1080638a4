// The story of a card: what is said and unsaid, who is mentioned and told, what is shown of it; with several people at once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, languages, phone, until, wide } from "./people.mjs";

let marta, reader;
const world = new World(async (server) => {
  marta = await server.user("Marta Núñez", { language: "es" });
  reader = await server.user("Olga Ciekawa", { language: "pl" });
});
const card = async (values = {}) => `/contacts/${await world.server.make("contacts", { name: "Historia viva", ...values })}`;
const say = async (path, text) => (await world.server.api("POST", `${path}/comments`, { text })).position;
const live = (who) => who.at("[data-live]:not([hidden]):not(.waiting)").waitFor();
const stay = (who) => who.page.evaluate(() => (window.stillHere = true));
const stayed = async (who) => assert.equal(await who.page.evaluate(() => window.stillHere), true, "the page was not loaded again");

for (const language of languages)
  test(`somebody is mentioned by the keyboard, told at once, and answers: ${language}`, world.story(async () => {
    const path = await card();
    const ana = await world.person({ language });
    const her = await world.person({ user: marta });
    const tab = await her.context.newPage();
    await tab.goto("/contacts");
    await her.goto("/");
    const before = Number((await her.at(".bell b").textContent()) || 0);
    await ana.goto(path);
    await live(ana);
    await ana.page.locator("#comment").pressSequentially("Mira, @nunez");
    await ana.sees("#say .options [role=option]", "Marta Núñez");
    assert.equal(await ana.at("#comment").getAttribute("aria-controls"), await ana.at("#say .options").getAttribute("id"));
    assert.equal(await ana.at("#comment").getAttribute("aria-activedescendant"), await ana.at("#say [role=option][aria-selected=true]").getAttribute("id"));
    await ana.accessible(`picker, ${language}`);
    await ana.page.keyboard.press("Enter");
    assert.equal(await ana.at("#comment").inputValue(), "Mira, @Marta Núñez ");
    await ana.page.locator("#comment").pressSequentially("ya");
    await ana.page.waitForTimeout(400);
    await ana.count("#say [role=option]", 0);
    await ana.page.keyboard.press("Enter");
    assert.equal(await ana.at("#comment").inputValue(), "Mira, @Marta Núñez ya\n");
    await ana.page.keyboard.press("Control+Enter");
    await ana.sees("#days .event >> nth=0 >> .mention", "@Marta Núñez");
    for (const page of [her.page, tab])
      await until(async () => (await page.locator(".bell b").textContent()) === String(before + 1), "the bell of each tab", 3000);
    await her.page.click(".bell");
    await her.sees(".told-item.unread >> nth=0", "Historia viva");
    await her.accessible("notifications");
    await her.page.click(".told-item >> nth=0 >> a");
    await her.address(/\?at=\d+$/);
    await until(async () => Number((await her.at(".bell b").textContent()) || 0) === before, "it is read", 3000);
    await live(her);
    await her.page.fill("#comment", "Ya lo veo");
    await her.page.click("#say .go");
    await ana.sees("#days .event >> nth=0", "Ya lo veo", 2000);
    await tab.close();
  }));

test("a mention is chosen with the mouse, and none is made by Escape", world.story(async () => {
  const ana = await world.person();
  await ana.goto(await card());
  await ana.page.locator("#comment").pressSequentially("a@b.c @");
  await ana.at("#say .options [role=option]").first().waitFor();
  await ana.page.keyboard.press("Escape");
  await ana.count("#say [role=option]", 0);
  await ana.page.locator("#comment").pressSequentially("marta");
  await ana.at("#say [role=option]", { hasText: "Marta" }).click();
  assert.equal(await ana.at("#comment").inputValue(), "a@b.c @Marta Núñez ");
  await ana.page.fill("#comment", "");
}));

test("the answer to what is no longer written does not end the search for what is", world.story(async () => {
  const ana = await world.person();
  await ana.goto(await card());
  let late;
  const asked = new Promise((done) => (late = done));
  let answer;
  await ana.page.route("**/people?*", async (route) => {
    if (new URL(route.request().url()).searchParams.get("q") !== "m") return route.continue();
    answer = () => route.continue().catch(() => {});
    late();
  });
  await ana.page.locator("#comment").pressSequentially("@m");
  await asked;
  await ana.page.evaluate(() => {
    const area = document.querySelector("#comment");
    area.setRangeText("arta", area.value.length, area.value.length, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
  await answer();
  await ana.at("#say [role=option]", { hasText: "Marta" }).waitFor({ timeout: 5000 });
  await ana.page.unroute("**/people?*");
  await ana.page.fill("#comment", "");
}));

test("a deleted comment goes from the pages of all, and who may not has no menu", world.story(async () => {
  const path = await card();
  const position = await say(path, "secreto muy largo");
  const ana = await world.person();
  const olga = await world.person({ user: reader, language: "pl" });
  for (const who of [ana, olga]) {
    await who.goto(path);
    await live(who);
    await stay(who);
    await who.sees(`#e${position}`, "secreto");
  }
  await olga.count(`#e${position} .event-menu`, 0);
  await ana.page.click(`#e${position} .event-menu summary`);
  await ana.accessible("menu of a comment");
  await ana.page.click(`#e${position} .event-menu button`);
  for (const who of [ana, olga]) {
    await until(async () => !(await who.page.content()).includes("secreto"), "it is gone", 2000);
    await who.sees(`#e${position} .said`, who.t("(deleted)"));
    await who.count(`#e${position} .event-menu`, 0);
    await stayed(who);
  }
}));

test("what is too long is told as it is written, and what is long is folded", world.story(async () => {
  const ana = await world.person();
  await ana.goto(await card());
  await ana.page.fill("#comment", "👨‍👩‍👧".repeat(4990));
  await ana.sees("#comment-left", /10$/);
  await ana.page.fill("#comment", "👨‍👩‍👧".repeat(5003));
  await ana.sees("#comment-left", /3$/);
  await ana.page.click("#say .go");
  await ana.count("#days .said", 0);
  await ana.page.fill("#comment", "una línea\n".repeat(60));
  await ana.page.click("#say .go");
  await ana.at("#days .said.folded").waitFor();
  await ana.page.click("#days .unfold");
  await ana.count("#days .said.folded", 0);
}));

for (const [size, device] of Object.entries({ wide, phone }))
  test(`files go along with a comment: ${size}`, world.story(async () => {
    const ana = await world.person({ device });
    await ana.goto(await card());
    await ana.page.setInputFiles("#say input[type=file]", { name: "uno.txt", mimeType: "text/plain", buffer: Buffer.from("uno\n") });
    await ana.page.setInputFiles("#say input[type=file]", { name: "dos.txt", mimeType: "text/plain", buffer: Buffer.from("dos\n") });
    await ana.count("#say .uploads li.done", 2);
    await ana.page.click("#say .uploads li >> nth=0 >> button");
    await ana.page.fill("#comment", "con un archivo");
    await ana.page.click("#say .go");
    await ana.sees("#days .attached", "dos.txt");
    await ana.count("#days .attached li", 1);
    await ana.count("#say .uploads li", 0);
    const href = await ana.at("#days .attached a[data-viewer]").getAttribute("href");
    assert.equal(await ana.page.evaluate(async (url) => (await fetch(url)).text(), href), "dos\n");
    await ana.accessible(`card with files, ${size}`);
    await ana.picture(`story-${size}`, { fullPage: true });
  }));

test("what is shown is chosen, kept, and holds for what arrives", world.story(async () => {
  const path = await card();
  await say(path, "primero");
  const her = await world.person({ user: marta });
  await her.goto(path);
  await live(her);
  await stay(her);
  await her.page.click(".chip[data-kinds=comments]");
  await her.count("#days .event", 1);
  await her.address(/kind=comments/);
  await stayed(her);
  await world.server.api("PATCH", path, { city: "Lima" });
  await say(path, "segundo");
  await her.sees("#days .event >> nth=0", "segundo", 2000);
  await her.count("#days .event", 2);
  await her.sees(".fact[data-key=city] dd", "Lima", 2000);
  await her.page.click(".chip[href*=information]");
  await her.count("#days .event", 3);
  await her.goto(await card());
  await her.count("#days .event", 0);
  await her.count(".chip[aria-current]", 2);
  await her.page.click(".chip[data-kinds=all]");
  await her.count("#days .event", 1);
  await her.goto(path);
  await her.count("#days .event", 4);
}));

test("one who was away gets all that was missed, each once", world.story(async () => {
  const path = await card();
  const ana = await world.person();
  await ana.goto(path);
  await live(ana);
  await stay(ana);
  await ana.context.setOffline(true);
  for (let i = 0; i < 130; i++) await say(path, `perdido ${i}`);
  await ana.context.setOffline(false);
  await ana.count("#days .event", 131, 15000);
  ana.complaints = ana.complaints.filter((c) => !c.includes("ERR_INTERNET_DISCONNECTED"));
  const positions = await ana.at("#days .event").evaluateAll((all) => all.map((e) => Number(e.dataset.position)));
  assert.deepEqual(positions, [...positions].sort((a, b) => b - a));
  assert.equal(new Set(positions).size, 131);
  await stayed(ana);
}));

test("a text is found, a day is gone to, and from there up and down", world.story(async () => {
  const path = await card();
  for (let i = 0; i < 45; i++) await say(path, i % 9 ? `cosa ${i}` : `zanahoria ${i}`);
  const ana = await world.person();
  await ana.goto(path);
  await ana.page.fill("#story-text", "ZANAHÓRIA");
  await ana.page.keyboard.press("Enter");
  await ana.count("#days .event", 5);
  await ana.page.click(".story-find a.button");
  await ana.count("[data-live]", 1);
  const first = (await world.server.api("GET", `${path}/history?limit=200`)).items.at(-1).position;
  await ana.goto(`${path}?before=${first + 20}`);
  const seen = () => ana.at("#days .event").evaluateAll((all) => all.map((e) => Number(e.dataset.position)));
  await ana.page.click(".newer");
  await ana.count(".newer", 0);
  await until(async () => (await seen()).length === 46, "all of it");
  const all = await seen();
  assert.deepEqual(all, [...new Set(all)].sort((a, b) => b - a));
  await ana.goto(`${path}?until=2001-01-01`);
  await ana.count("#days .event", 0);
}));
