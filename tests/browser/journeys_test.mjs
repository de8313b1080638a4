// Traceability in the browser: the picture of ways is what the table beside it says, figures lead to as many rows as they say, filters are
// kept; without scripts the table says it all.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, languages, phone } from "./people.mjs";

const world = new World();
let made;

async function cases() {
  if (made) return made;
  const { server } = world;
  const levels = [];
  for (const [rank, name] of [[1, "Primera línea"], [2, "Especialistas"]]) levels.push(await server.make("levels", { name, rank }));
  const desk = await server.make("groups", { name: "Mesa", level: levels[0] }), lab = await server.make("groups", { name: "Laboratorio", level: levels[1] });
  made = [];
  for (let i = 0; i < 5; i++) {
    const id = await server.make("cases", { subject: `Recorrido ${i}`, group: desk });
    if (i) await server.api("PATCH", `/cases/${id}`, { group: lab, status: "open" });
    if (i > 2) await server.api("PATCH", `/cases/${id}`, { group: desk });
    if (i > 3) await server.api("PATCH", `/cases/${id}`, { group: lab, status: "solved" });
    made.push(id);
  }
  return made;
}

const rows = (who) => who.at("table[data-list] tbody tr").count();

for (const language of languages)
  test(`figures lead to what they count: ${language}`, world.story(async () => {
    await cases();
    const who = await world.person({ language });
    await who.goto("/cases/journeys");
    await who.at(".sankey svg").waitFor();
    const drawn = await who.at(".sankey .way").count(), told = await who.at('#journeys-steps tbody tr:not([data-step="0"])').count();
    assert.equal(drawn, told, "a band for each row");
    await who.accessible("traceability");
    // Bands and columns open what they count.
    for (const [drawnAs, row] of [[".sankey a:has(.way)", '#journeys-steps tbody tr:not([data-step="0"])'], [".sankey a:has(.stop)", '#journeys-steps tbody tr[data-step="0"]']]) {
      await who.goto("/cases/journeys");
      const count = Number(await who.at(row).first().getAttribute("data-count"));
      await who.at(drawnAs).first().dispatchEvent("click");
      await who.at("table[data-list]").waitFor();
      assert.equal(await rows(who), count, drawnAs);
    }
    for (const [figure, expected] of [["what=moved", 7], ["what=up", 5], ["what=down", 2], ["what=back", 3]]) {
      await who.goto("/cases/journeys");
      const link = who.at(`.journeys-figures a[href*="${figure}"]`);
      assert.equal((await link.locator("b").textContent()).trim(), String(expected), figure);
      await link.click();
      await who.at("table[data-list]").waitFor();
      assert.equal(await rows(who), expected, figure);
    }
    // From a row to the change, and from the record to its way.
    const href = await who.at("table[data-list] a[href^='/log/']").first().getAttribute("href");
    await who.goto(href);
    await who.sees("h1", "");
  }));

test("filters are kept, and choose records", world.story(async () => {
  await cases();
  const who = await world.person();
  await who.goto("/cases?filter[subject][contains]=Recorrido%204");
  await who.at("a[href*='/cases/journeys?']").click();
  await who.at(".journeys-figures").waitFor();
  assert.equal((await who.at(".journeys-figures b").first().textContent()).trim(), "1");
  await who.page.selectOption("#by", "status");
  await who.page.waitForURL(/by=status/);
  assert.match(who.page.url(), /filter/);
  await who.at(".bar .pill-end").first().click();
  await who.page.waitForURL((url) => !url.href.includes("filter"));
  assert.notEqual((await who.at(".journeys-figures b").first().textContent()).trim(), "1");
}));

test("a record's way, on a phone", world.story(async () => {
  const [, , , , last] = await cases();
  const who = await world.person({ device: phone });
  await who.goto(`/cases/${last}/journey`);
  const first = who.at("section").filter({ has: who.page.locator("h2") }).first();
  assert.match(await first.textContent(), /Primera línea[\s\S]*Especialistas/);
  assert.equal(await who.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, "nothing stands out sideways");
  await who.goto("/cases/journeys");
  await who.at(".sankey svg").waitFor();
  assert.equal(await who.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, "nothing stands out sideways");
}));

test("without scripts the table says it", world.story(async () => {
  await cases();
  const who = await world.person({ javaScriptEnabled: false });
  await who.goto("/cases/journeys");
  assert.equal(await who.at(".sankey").isVisible(), false);
  await who.at(".sankey-table summary").click();
  assert.ok(await who.at("#journeys-steps tbody tr").first().isVisible());
}));
