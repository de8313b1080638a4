// The list of a module: search, filters as pills, columns, order, paging by cursor, and what is done with chosen rows.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { World, languages, phone } from "./people.mjs";

const cities = ["Madrid", "Łódź", "Iași"];
const world = new World(async (server) => {
  await server.makeMany("contacts", 120, (i) => ({ name: `Contacto ${String(i).padStart(3, "0")}`, city: cities[i % 3], email: `c${i}@example.com` }));
  for (const language of languages)
    await server.makeMany("leads", 4, (i) => ({ name: `Ruiz ${language} ${i}` }));
});
const rows = "tbody tr[data-href]";
const names = (who) => who.at(`${rows} th`).allInnerTexts();
const texts = {
  es: { pill: "Ciudad es Madrid", deleted: "2 registros eliminados", assigned: "3 registros cambiados" },
  pl: { pill: "Miasto jest Madrid", deleted: "Usunięto 2 rekordy", assigned: "Zmieniono 3 rekordy" },
};

for (const language of languages) {
  const text = texts[language];

  test(`search, filter, columns and order: ${language}`, world.story(async () => {
    const ana = await world.person({ language });
    await ana.goto("/contacts");
    await ana.count(rows, 50);
    await ana.page.fill(".search-here input", "contacto 07");
    await ana.page.press(".search-here input", "Enter");
    await ana.count(rows, 10);
    assert.ok((await names(ana)).every((name) => name.startsWith("Contacto 07")));

    await ana.goto("/contacts");
    await ana.page.click("#add-filter summary");
    await ana.page.click("#filter-panel a[href*='with=city']");
    await ana.page.selectOption("[name=filter_op]", "eq");
    await ana.page.fill("[name=filter_value]", "Madrid");
    await ana.page.click(".filter-form button.go");
    await ana.address(/^\/contacts\?filter(\[|%5B)city(\]|%5D)(\[|%5B)eq(\]|%5D)=Madrid/);
    await ana.sees(".bar .pill", text.pill);
    await ana.sees(".foot [data-count], .foot", "40");
    await ana.count(rows, 40);

    await ana.page.click("th[data-key=name] a");
    await ana.at("th[data-key=name][aria-sort=ascending]").waitFor();
    assert.equal((await names(ana))[0], "Contacto 000");
    await ana.page.click("th[data-key=name] a");
    await ana.at("th[data-key=name][aria-sort=descending]").waitFor();
    assert.equal((await names(ana))[0], "Contacto 117");
    await ana.sees(".bar .pill", text.pill);

    await ana.page.click("details.menu:has([name=columns]) summary");
    await ana.at("[name=columns][value=city]").setChecked(false);
    await ana.at("[name=columns][value=postcode]").setChecked(true);
    await ana.page.click("details.menu:has([name=columns]) button.go");
    await ana.at("th[data-key=postcode]").waitFor();
    await ana.count("th[data-key=city]", 0);
    await ana.sees(".bar .pill", text.pill);

    await ana.page.click(".bar .pill .pill-end");
    await ana.count(".bar .pill .pill-end", 0);
    await ana.count(rows, 50);
  }));

  test(`rows chosen, assigned, deleted and restored: ${language}`, world.story(async () => {
    const ana = await world.person({ language });
    const user = await world.administrator(language);
    const where = `/leads?filter[name][contains]=ruiz ${language}&sort=name&columns=name,owner`;
    await ana.goto(where);
    await ana.count(rows, 4);
    assert.equal(await ana.at(".band").isVisible(), false, "nothing is offered before a row is chosen");
    for (const i of [0, 1, 2]) await ana.at(`${rows} .box input`).nth(i).check();
    const edges = await ana.at(`${rows} .box`).first().evaluate((cell) => getComputedStyle(cell).borderLeftWidth);
    assert.equal(edges, "0px", "a cell with a box to tick is no box itself");
    await ana.sees("[data-selected-count]", ana.t("Selected: {0}", 3));
    await ana.page.selectOption(".band [name=user]", String(user.id));
    await ana.button("Assign").click();
    await ana.sees(".flash", text.assigned);
    await ana.goto(where);
    assert.equal(await ana.at(rows, { hasText: user.name }).count(), 3);

    for (const i of [2, 3]) await ana.at(`${rows} .box input`).nth(i).check();
    await ana.button("Delete", ana.at(".band")).click();
    await ana.sees(".ask li", `Ruiz ${language} 3`);
    await ana.page.click(".ask .form-foot a.button");
    await ana.count(rows, 4);

    for (const i of [2, 3]) await ana.at(`${rows} .box input`).nth(i).check();
    await ana.button("Delete", ana.at(".band")).click();
    await ana.page.click(".ask button.danger");
    await ana.sees(".flash", text.deleted);
    await ana.goto(where);
    await ana.count(rows, 2);

    await ana.goto("/leads?deleted=1&sort=name");
    await ana.at(`${rows} th a`, { hasText: `Ruiz ${language} 3` }).click();
    await ana.sees(".notice", /Eliminado el|Usunięto/);
    await ana.page.click(".notice form button");
    await ana.sees(".flash", ana.t("Restored."));
    await ana.count(".notice form", 0);
    await ana.goto(where);
    assert.deepEqual(await names(ana), [0, 1, 3].map((i) => `Ruiz ${language} ${i}`));
  }));
}

test("a view is saved, chosen and deleted", world.story(async () => {
  const ana = await world.person();
  await ana.goto("/contacts?filter[city][eq]=Madrid&sort=-name");
  await ana.page.click(".pill.view");
  await ana.page.fill("#view-name", "Los de Madrid");
  await ana.page.press("#view-name", "Enter");
  await ana.sees(".flash", ana.t("The view is saved."));
  await ana.goto("/contacts");
  await ana.page.click(".pill.view");
  await ana.at(".panel-row a", { hasText: "Los de Madrid" }).click();
  await ana.sees(".pill.view", "Los de Madrid");
  await ana.count(rows, 40);
  assert.equal((await names(ana))[0], "Contacto 117");
  await ana.page.click(".pill.view");
  await ana.at(".panel-row", { hasText: "Los de Madrid" }).locator("button").click();
  await ana.sees(".flash", ana.t("The view is deleted."));
  await ana.page.click(".pill.view");
  await ana.count(".panel-row form", 0);
}));

for (const [size, device] of Object.entries({ wide: undefined, phone }))
  test(`paging through all of them, each once, while others are made: ${size}`, world.story(async () => {
    const ana = await world.person(device ? { device } : {});
    await ana.goto("/contacts?sort=name");
    await ana.count(rows, 50);
    // Before what is read: pages by offset would show one of them twice.
    const extra = await world.server.make("contacts", { name: `Antes ${size}` });
    while (await ana.at("a[data-more=rows]").count()) {
      const before = await ana.at(rows).count();
      await ana.at("a[data-more=rows]").click();
      await ana.at(rows).nth(before).waitFor();
    }
    const all = await names(ana);
    const numbered = all.filter((name) => name.startsWith("Contacto"));
    assert.equal(new Set(numbered).size, 120);
    assert.equal(numbered.length, 120);
    await world.server.api("DELETE", `/contacts/${extra}`);
  }));

test("without scripts the next page is a page of its own", world.story(async () => {
  const ana = await world.person({ javaScriptEnabled: false });
  await ana.goto("/contacts?sort=name&limit=50");
  const seen = [...(await names(ana))];
  while (await ana.at("a[rel=next]").count()) {
    await ana.page.click("a[rel=next]");
    seen.push(...(await names(ana)));
  }
  assert.equal(seen.length, 120);
  assert.equal(new Set(seen).size, 120);
}));

test("what is filtered can be downloaded", world.story(async () => {
  const ana = await world.person();
  await ana.goto("/contacts?filter[city][eq]=Madrid");
  await ana.page.click(".heading-end details.menu summary");
  const [download] = await Promise.all([ana.page.waitForEvent("download"), ana.page.click(".heading-end .panel a[href*=csv]")]);
  const lines = readFileSync(await download.path(), "utf8").trim().split(/\r?\n/);
  assert.equal(lines.length, 41, lines.slice(0, 3).join("\n"));
  assert.ok(lines.slice(1).every((line) => line.includes("Madrid")));
}));

for (const language of [...languages, "ro"])
  test(`long lists fit a window of 1440 pixels, and no number is cut: ${language}`, world.story(async () => {
    const { server } = world;
    const long = "Distribuidora Internacional de Congelados del Mediterráneo";
    if (!(await server.api("GET", "/companies?filter[name][starts]=Distribuidora")).items.length) {
      const user = await server.user("Bartholomew Featherstonehaugh");
      const company = await server.make("companies", { name: long });
      const contact = await server.make("contacts", { name: `Contacto ${long}`, company });
      const product = await server.make("products", { name: `Producto ${long}` });
      const common = { company, contact, owner: user.id };
      await server.make("cases", { ...common, subject: `Caso ${long}`, due: "2026-12-24T22:44:00Z", priority: "urgent", status: "waiting" });
      await server.make("opportunities", { ...common, name: `Oportunidad ${long}`, product, amount: "65500000 COP", closing_date: "2026-12-24", stage: "engaging" });
      await server.make("leads", { name: `Lead ${long}`, company_name: long, interest: "hot", source: "referral", email: "distribuidora.internacional@mediterraneo.example.com", phone: "+34600123123", owner: user.id });
    }
    const ana = await world.person({ language });
    for (const module of ["cases", "opportunities", "leads"]) {
      await ana.goto(`/${module}`);
      await ana.page.evaluate(() => document.fonts.ready);
      const [wider, cut] = await ana.at(".list .scroll").evaluate((place) =>
        [place.scrollWidth - place.clientWidth, [...place.querySelectorAll("td.n")].filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent)]);
      assert.ok(wider <= 0, `${module} is ${wider}px wider than its place`);
      assert.deepEqual(cut, [], `no number of ${module} is cut`);
      const ends = await ana.at("th.n[data-key] a").evaluateAll((all) => all.map((link) => {
        const cell = document.querySelectorAll("tbody tr:first-child > *")[link.closest("th").cellIndex].getBoundingClientRect();
        return Math.round(cell.right - link.getBoundingClientRect().right);
      }));
      assert.ok(ends.every((space) => space <= 14), `headings of numbers end where the numbers do: ${ends}`);
    }
  }));
