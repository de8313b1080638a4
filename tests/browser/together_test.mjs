// Two people at once: each sees what the other does; different fields are merged, the same field shows both.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, languages, phone, until, wide } from "./people.mjs";

const world = new World();
const cards = async () => `/contacts/${await world.server.make("contacts", { name: "De los dos", city: "Madrid", position: "Compras" })}`;

for (const language of languages)
  test(`each sees the other's change without loading the page: ${language}`, world.story(async () => {
    const path = await cards();
    const ana = await world.person({ language });
    const jan = await world.person({ language: "ro", device: phone });
    for (const who of [ana, jan]) {
      await who.goto(path);
      await who.at("[data-live]:not([hidden]):not(.waiting)").waitFor();
      await who.page.evaluate(() => (window.stillHere = true));
    }
    await ana.at(".fact[data-key=city] dd").click();
    await ana.page.fill(".fact-form [name=city]", "Sevilla");
    await ana.page.keyboard.press("Enter");
    await ana.sees(".fact[data-key=city] dd", "Sevilla");
    await jan.sees(".fact[data-key=city] dd", "Sevilla", 2000);
    await jan.sees("#days .event >> nth=0 >> .changes", /Madrid.*Sevilla/, 2000);

    await jan.page.fill("#comment", "Am văzut");
    await jan.page.click("#say button");
    await jan.sees("#days .event >> nth=0", "Am văzut");
    await ana.sees("#days .event >> nth=0", "Am văzut", 2000);
    for (const who of [ana, jan]) assert.equal(await who.page.evaluate(() => window.stillHere), true, "the page was not loaded again");
  }));

test("what one is writing stays when the card changes around it", world.story(async () => {
  const path = await cards();
  const ana = await world.person();
  await ana.goto(path);
  await ana.at("[data-live]:not([hidden]):not(.waiting)").waitFor();
  await ana.page.fill("#comment", "A medio escr");
  await ana.at(".fact[data-key=position] dd").click();
  await ana.page.fill(".fact-form [name=position]", "Vent");
  await world.server.api("PATCH", path, { city: "Toledo" });
  await ana.sees(".fact[data-key=city] dd", "Toledo");
  assert.equal(await ana.at("#comment").inputValue(), "A medio escr");
  assert.equal(await ana.at(".fact-form [name=position]").inputValue(), "Vent");
  await ana.page.keyboard.press("Escape");
  await ana.page.fill("#comment", "");
}));

for (const [size, device] of Object.entries({ wide, phone }))
  for (const [take, wanted] of Object.entries({ theirs: "Toledo", yours: "Sevilla" }))
    test(`two change the same field, and ${take} is taken: ${size}`, world.story(async () => {
      const path = await cards();
      const ana = await world.person({ device });
      ana.expects(409);
      await ana.goto(`${path}/edit`);
      await ana.page.fill("[name=city]", "Sevilla");
      await ana.page.fill("[name=position]", "Ventas");
      await world.server.api("PATCH", path, { city: "Toledo" });
      await ana.page.click(".form-foot button.go");
      await ana.sees(".conflict-table", /Madrid.*Toledo.*Sevilla/);
      await ana.count(".conflict-table tbody tr", 1);
      assert.equal((await world.server.api("GET", path)).city, "Toledo", "nothing is lost before one has chosen");
      await ana.accessible(`conflict, ${size}`);
      await ana.picture(`conflict-${size}`);
      await ana.at(`[name='take.city'][value=${take}]`).check();
      await ana.page.click(".form-foot button.go");
      await ana.sees(".fact[data-key=city] dd", wanted);
      await ana.sees(".fact[data-key=position] dd", "Ventas");
      const now = await world.server.api("GET", path);
      assert.deepEqual([now.city, now.position], [wanted, "Ventas"]);
    }));

test("two change different fields: both stay", world.story(async () => {
  const path = await cards();
  const [ana, jan] = [await world.person(), await world.person({ language: "pl" })];
  await ana.goto(`${path}/edit`);
  await jan.goto(`${path}/edit`);
  await ana.page.fill("[name=city]", "Sevilla");
  await jan.page.fill("[name=position]", "Zakupy");
  await ana.page.click(".form-foot button.go");
  await ana.sees(".fact[data-key=city] dd", "Sevilla");
  await jan.page.click(".form-foot button.go");
  await jan.sees(".flash", jan.t("Saved, together with what somebody else changed in the meantime."));
  const now = await world.server.api("GET", path);
  assert.deepEqual([now.city, now.position], ["Sevilla", "Zakupy"]);
}));

test("the same fact edited where it stands by two shows both", world.story(async () => {
  const path = await cards();
  const ana = await world.person();
  ana.expects(409);
  await ana.goto(path);
  await ana.at(".fact[data-key=city] dd").click();
  await ana.page.fill(".fact-form [name=city]", "Sevilla");
  await world.server.api("PATCH", path, { city: "Toledo" });
  await ana.page.press(".fact-form [name=city]", "Enter");
  await ana.sees(".conflict-table", /Madrid.*Toledo.*Sevilla/);
  await ana.at("[name='take.city'][value=yours]").check();
  await ana.page.click(".form-foot button.go");
  await until(async () => (await world.server.api("GET", path)).city === "Sevilla", "mine is saved");
}));

test("many tabs are open, and only what is seen holds a connection: the others catch up when they are looked at", world.story(async () => {
  const path = await cards();
  const ana = await world.person();
  await ana.context.addInitScript(() => {
    window.seen = false;
    Object.defineProperty(document, "visibilityState", { get: () => (window.seen ? "visible" : "hidden") });
    window.look = (seen) => {
      window.seen = seen;
      document.dispatchEvent(new Event("visibilitychange"));
    };
  });
  const tabs = [ana.page];
  while (tabs.length < 8) tabs.push(await ana.context.newPage());
  for (const tab of tabs) {
    await tab.goto(path);
    await tab.evaluate(() => window.look(true));
    await tab.locator("[data-live]:not([hidden]):not(.waiting)").waitFor();
    await tab.evaluate(() => window.look(false));
    await until(() => tab.evaluate(async () => (await fetch("/api/contacts", { signal: AbortSignal.timeout(2000) })).ok), "the server can be asked");
    if (tabs.indexOf(tab) % 3 === 2) await new Promise((done) => setTimeout(done, 3200));
  }
  await world.server.api("PATCH", path, { city: "Cuenca" });
  await new Promise((done) => setTimeout(done, 500));
  assert.match(await tabs[0].locator(".fact[data-key=city] dd").innerText(), /Madrid/);
  for (const tab of tabs.slice(0, 3)) {
    await tab.evaluate(() => window.look(true));
    await until(async () => /Cuenca/.test(await tab.locator(".fact[data-key=city] dd").innerText()), "what was missed is there");
  }
}));
