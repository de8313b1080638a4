// The card: facts, the story in the reader's language, comments, edits where a fact stands, older events, the history tab.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, phone, until, wide } from "./people.mjs";

const world = new World();
const event = "#days .event";
const texts = {
  es: { changed: "Laura Méndez cambió Ciudad", created: "Administrator creó esto", commented: "Laura Méndez comentó" },
  pl: { changed: /Jan Kowalski.*Miasto/, created: /Administrator.*(utworzy|dodał)/, commented: /Jan Kowalski.*koment/ },
};

for (const [language, text] of Object.entries(texts))
  for (const [size, device] of Object.entries({ wide, phone }))
    test(`reading, commenting and editing where it stands: ${language}, ${size}`, world.story(async () => {
      const id = await world.server.make("contacts", { name: `Andrés ${language} ${size}`, city: "Madrid", email: "andres@example.com" });
      const ana = await world.person({ language, device });
      await ana.goto(`/contacts/${id}`);
      await ana.sees("h1", `Andrés ${language} ${size}`);
      await ana.sees(".fact[data-key=email] dd", "andres@example.com");
      await ana.sees(`${event} .what p`, text.created);

      await ana.page.fill("#comment", "Primera línea\nsegunda <b>línea</b>");
      await ana.page.press("#comment", "Control+Enter");
      await ana.sees(`${event} >> nth=0`, text.commented);
      assert.match(await ana.at(`${event} .said`).first().innerText(), /^Primera línea\nsegunda <b>línea<\/b>$/);
      assert.equal(await ana.at("#comment").inputValue(), "");

      const city = ana.at(".fact[data-key=city] dd");
      const editor = ana.at(".fact-form [name=city]");
      await city.click();
      await editor.fill("Sevilla");
      await editor.press("Escape");
      await editor.waitFor({ state: "detached" });
      await ana.sees(city, "Madrid");
      assert.equal((await world.server.api("GET", `/contacts/${id}`)).city, "Madrid", "Escape saves nothing");

      await city.click();
      await editor.fill("Łódź");
      await editor.press("Enter");
      await ana.sees(city, "Łódź");
      await ana.sees(`${event} >> nth=0`, text.changed);
      await ana.sees(`${event} >> nth=0 >> .changes`, /Madrid.*Łódź/);
      assert.equal((await world.server.api("GET", `/contacts/${id}`)).city, "Łódź");

      ana.expects(422);
      await ana.at(".fact[data-key=email] dd").click({ position: { x: 200, y: 8 } });
      await ana.at(".fact-form [name=email]").fill("no es");
      await ana.at(".fact-form [name=email]").press("Enter");
      await ana.at(".fact-form .problem").waitFor();
      await ana.at(".fact-form [data-close]").click();
      await ana.sees(".fact[data-key=email] dd", "andres@example.com");

      const positions = (await ana.at(event).evaluateAll((all) => all.map((e) => Number(e.dataset.position))));
      assert.deepEqual(positions, [...positions].sort((a, b) => b - a), "newest first");
      assert.equal(positions.length, 3, "created, commented, edited");

      await ana.goto(`/contacts/${id}/history`);
      await ana.sees("table.log tbody.change >> nth=0", /Madrid.*Łódź/);
      await ana.count("table.log tbody.change", 3);
    }));

test("a field opens though the card is renewed while its form is on the way", world.story(async () => {
  const id = await world.server.make("contacts", { name: "Renewed", city: "Madrid" });
  const ana = await world.person();
  await ana.goto(`/contacts/${id}`);
  await ana.at("[data-live]:not([hidden])").waitFor();
  await ana.page.route(/\/contacts\/\d+\/edit/, async (route) => {
    await world.server.api("POST", `/contacts/${id}/comments`, { text: "meanwhile" });
    await ana.sees(`${event} .said >> nth=0`, "meanwhile");
    await route.continue();
  }, { times: 1 });
  await ana.at(".fact[data-key=city] dd").click();
  const editor = ana.at(".fact-form [name=city]");
  await editor.fill("Lima");
  await editor.press("Enter");
  await ana.sees(".fact[data-key=city] dd", "Lima");
}));

test("older events come by scrolling, none twice", world.story(async () => {
  const id = await world.server.make("contacts", { name: "Mucha historia", city: "0" });
  for (let i = 1; i <= 130; i++) await world.server.api("PATCH", `/contacts/${id}`, { city: String(i) });
  const ana = await world.person();
  await ana.goto(`/contacts/${id}`);
  const first = await ana.at(event).count();
  assert.ok(first < 131, `not all at once: ${first}`);
  await until(async () => {
    await ana.page.mouse.move(900, 700);
    await ana.page.mouse.wheel(0, 4000);
    return (await ana.at(event).count()) === 131;
  }, "all 131 events are there");
  const positions = await ana.at(event).evaluateAll((all) => all.map((e) => Number(e.dataset.position)));
  assert.deepEqual(positions, [...new Set(positions)].sort((a, b) => b - a));
  await ana.count("a.older", 0);
}));

test("the phase is changed by the path of stages, which keeps its place on the card", world.story(async () => {
  const id = await world.server.make("opportunities", { name: "Camino", amount: { amount: "1000", currency: "EUR" } });
  const ana = await world.person();
  await ana.goto(`/opportunities/${id}`);
  await ana.page.click(".stages [value=proposal]");
  await ana.at(".stages [value=proposal][aria-current=step]").waitFor();
  await ana.sees(`${event} >> nth=0 >> .changes`, /Prospección.*Propuesta/);
  await ana.sees(".fact[data-key=probability] dd", "60");
  assert.equal((await world.server.api("GET", `/opportunities/${id}`)).stage, "proposal");
}));

test("the story shows only comments when asked", world.story(async () => {
  const id = await world.server.make("contacts", { name: "Filtros", city: "A" });
  await world.server.api("PATCH", `/contacts/${id}`, { city: "B" });
  await world.server.api("POST", `/contacts/${id}/comments`, { text: "Solo esto" });
  const ana = await world.person();
  await ana.goto(`/contacts/${id}`);
  await ana.count(event, 3);
  await ana.page.click(".chip[href*='kind=comments']");
  await ana.count(event, 1);
  await ana.sees(event, "Solo esto");
  await ana.page.click(".chip[data-kinds=all]"); // it is kept for other cards
  await ana.count(event, 3);
}));

test("what belongs to a card is in its story, and an activity is done there", world.story(async () => {
  const id = await world.server.make("contacts", { name: "Con tareas" });
  await world.server.make("tasks", { subject: "Llamar hoy", contact: id, due: "2026-01-01T10:00:00Z" });
  const ana = await world.person();
  await ana.goto(`/contacts/${id}`);
  await ana.sees(`${event} .what`, "Llamar hoy");
  await ana.at(".related .close summary").click();
  await ana.at(".related .close [name=result]").fill("Quedamos el lunes");
  await ana.at(".related .close [value=success]").click();
  await ana.count(".related .tick", 0);
  await until(async () => (await world.server.api("GET", "/tasks")).items[0].done === true, "the activity is done");
  await ana.sees(`${event} >> nth=0 >> .what`, /cerró .*Llamar hoy.* con éxito[^]*Quedamos el lunes/);
}));

test("what a new record began with folds", world.story(async () => {
  const id = await world.server.make("contacts", { name: "Eva Folded", position: "Jefa", city: "Lima", country: "Perú", email: "eva@example.org", postcode: "15001", region: "Lima" });
  for (const device of [wide, phone]) {
    const ana = await world.person({ device });
    await ana.goto(`/contacts/${id}`);
    const event = ana.at(".event").last();
    const shown = () => event.locator(".changes > div:visible").count();
    assert.equal(await shown(), 3);
    await event.locator("summary").click();
    assert.ok((await shown()) >= 7);
    assert.match(await event.textContent(), /15001/);
    await ana.accessible("a story with values folded out");
    await event.locator("summary").click();
    assert.equal(await shown(), 3);
  }
}));
