// The change log in the browser: choices with their counts, filters folded on a phone, and saved for later.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, languages, phone, until } from "./people.mjs";

let contact;
const world = new World(async (server) => {
  contact = await server.make("contacts", { name: "Historia contada" });
  for (let i = 0; i < 3; i++) await server.api("PATCH", `/contacts/${contact}`, { city: `Ciudad ${i}` });
});


for (const language of languages)
  test(`choices say how many events they would find, and the choice is kept for later: ${language}`, world.story(async () => {
    const ana = await world.person({ language });
    await ana.goto("/history?module=contacts");
    const option = (select, value) => ana.page.locator(`#${select} option[value="${value}"]`);
    await until(async () => / · \d+$/.test(await option("kind", "edited").textContent()), "the counts", 5000);
    assert.match(await option("kind", "edited").textContent(), / · 3$/);
    assert.match(await option("field", "city").textContent(), / · 3$/);
    assert.match(await option("module", "contacts").textContent(), / · 4$/);
    assert.match(await option("field", "phone").textContent(), / · 0$/);
    assert.match(await ana.at("[data-total]").textContent(), /^4 /);
    assert.equal(await ana.at("[data-counts]").count(), 0);
    await ana.accessible(`change log, counted, ${language}`);
    await ana.page.selectOption("#field", "city");
    await ana.address(/field=city/);
    await ana.count("table.log tbody", 3);
    await ana.page.click("summary.view");
    await ana.page.fill("#view-name", `Ciudades ${language}`);
    await ana.page.click(".panel-form .button");
    await ana.address(/history\?view=\d+$/);
    await ana.sees("summary.view", `Ciudades ${language}`);
    await ana.count("table.log tbody", 3);
    await ana.page.click("summary.view");
    await ana.accessible(`change log, saved filters, ${language}`);
    await ana.page.click(".panel-row form .small-button");
    await ana.address(/history$/);
  }));

test("on a phone the filters are folded, and each date stands beside its word", world.story(async () => {
  const ana = await world.person({ device: phone });
  await ana.goto("/history?module=contacts");
  const bar = await ana.at(".sheet > .bar").boundingBox();
  assert.ok(bar.height < 120, `folded they take ${bar.height}`);
  assert.equal(await ana.at("#kind").isVisible(), false);
  await ana.page.click(".fold > summary");
  for (const name of ["from", "to"]) {
    const word = await ana.at(`label[for=${name}]`).boundingBox(), date = await ana.at(`#${name}`).boundingBox();
    assert.ok(Math.abs(word.y + word.height / 2 - date.y - date.height / 2) < 12, `${name} stands beside its date`);
  }
  const width = await ana.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 390, `nothing is wider than the phone: ${width}`);
  await ana.accessible("change log on a phone, filters open");
}));
