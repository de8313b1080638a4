// Forms: errors at their fields, lookups that make what is missing, money, choices, several links and tags.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, languages, phone, wide } from "./people.mjs";

const world = new World(async (server) => {
  for (const name of ["Panadería Ñandú", "Textiles Andina"]) await server.make("companies", { name });
  for (const name of ["Ana Pérez", "Łukasz Nowak"]) await server.make("contacts", { name });
});
const save = (who) => who.page.click(".form .form-foot button.go");

async function choose(who, field, typed, text) {
  const place = who.at(`[data-name=${field}]`);
  await place.locator("input[role=combobox]").pressSequentially(typed);
  await place.getByRole("option", { name: text }).first().click();
  await place.locator(".token", { hasText: text }).waitFor();
}

for (const language of languages)
  for (const [size, device] of Object.entries({ wide, phone }))
    test(`errors stand at their fields, and nothing typed is lost: ${language}, ${size}`, world.story(async () => {
      const ana = await world.person({ language, device });
      ana.expects(422);
      await ana.goto("/contacts/new");
      await ana.page.fill("[name=email]", "no es un correo");
      await ana.page.fill("[name=email_other]", "tampoco");
      await ana.page.fill("[name=city]", "Łódź");
      await save(ana);
      await ana.sees("[data-problems]", ana.t("Not saved yet. Please look at these:"));
      for (const key of ["email", "email_other"]) {
        await ana.at(`.control[data-key=${key}] .problem`).waitFor();
        const described = await ana.at(`#f-${key}`).getAttribute("aria-describedby");
        assert.ok(described.split(" ").includes(`f-${key}-problem`), described);
        assert.equal(await ana.at(`#f-${key}`).getAttribute("aria-invalid"), "true");
      }
      await ana.sees(".control[data-key=name] .problem", ana.t("This must be filled in."));
      await ana.count(".control .problem", 3);
      assert.equal(await ana.at("[name=city]").inputValue(), "Łódź");
      assert.equal(await ana.at("[name=email]").inputValue(), "no es un correo");
      await ana.page.fill("[name=email]", "nueva@example.com");
      await ana.page.fill("[name=email_other]", "");
      await ana.page.fill("[name=name]", `Nueva ${language} ${size}`);
      await save(ana);
      await ana.address(/^\/contacts\/\d+$/);
      await ana.sees(".flash", ana.t("Created."));
      await ana.sees("h1", `Nueva ${language} ${size}`);
      await ana.sees(".fact[data-key=city] dd", "Łódź");
    }));

test("an opportunity with a lookup, a company made on the way, money, a choice and tags", world.story(async () => {
  const ana = await world.person();
  await ana.goto("/opportunities/new");
  await ana.page.fill("[name=name]", "Horno nuevo");
  await choose(ana, "contact", "lukasz", "Łukasz Nowak");
  await ana.at("[data-name=company] input[role=combobox]").pressSequentially("Molinos del Sur");
  await ana.at("[data-name=company] [role=option].new").click();
  const window_ = ana.at("dialog.window");
  await window_.waitFor();
  assert.equal(await window_.locator("[name=name]").inputValue(), "Molinos del Sur");
  await ana.accessible("the window of a new company");
  assert.ok(!(await window_.locator("[name=city]").isVisible()), "only what is required is shown at first");
  await window_.locator(".more-fields summary").click();
  assert.ok(await window_.locator("[name=city]").isVisible());
  await window_.locator(".form-foot button.go").click();
  await ana.at("[data-name=company] .token", { hasText: "Molinos del Sur" }).waitFor();
  await window_.waitFor({ state: "detached" });
  await ana.page.fill("[name=amount]", "48.500,25");
  await ana.page.selectOption("[name='amount.currency']", "USD");
  await ana.page.selectOption("[name=stage]", "proposal");
  for (const tag of ["urgente", "feria"]) {
    await ana.at("#f-tags").fill(tag);
    await ana.at("#f-tags").press("Enter");
  }
  await ana.count("[data-tokens] .token", 2);
  await save(ana);
  await ana.address(/^\/opportunities\/\d+$/);
  const made = await world.server.api("GET", new URL(ana.page.url()).pathname);
  assert.deepEqual(
    { amount: made.amount, stage: made.stage, tags: made.tags, company: made.company.name, contact: made.contact.name, expected: made.expected },
    { amount: { amount: "48500.25", currency: "USD" }, stage: "proposal", tags: ["urgente", "feria"], company: "Molinos del Sur", contact: "Łukasz Nowak", expected: { amount: "29100.15", currency: "USD" } });
  await ana.sees(".fact[data-key=amount] dd", /48\.500,25/);
}));

test("what is created by its name is called as it stands in the box, however late the offers come", world.story(async () => {
  const ana = await world.person();
  await ana.goto("/opportunities/new");
  const box = ana.at("[data-name=company] input[role=combobox]");
  await box.pressSequentially("Mol");
  await ana.at("[data-name=company] [role=option].new").waitFor();
  await ana.page.route("**/lookup?*", () => {}); // no answer comes any more
  await box.pressSequentially("inos del Norte");
  await ana.at("[data-name=company] [role=option].new").click();
  const window_ = ana.at("dialog.window");
  await window_.waitFor();
  assert.equal(await window_.locator("[name=name]").inputValue(), "Molinos del Norte");
}));

test("several links and several choices; a tag and a link taken away again", world.story(async () => {
  const ana = await world.person();
  await ana.goto("/tasks/new?kind=meeting");
  await ana.page.fill("[name=subject]", "Reunión");
  await choose(ana, "guests", "ana", "Ana Pérez");
  await choose(ana, "guests", "lukasz", "Łukasz Nowak");
  await save(ana);
  await ana.address(/^\/tasks\/\d+$/);
  const path = new URL(ana.page.url()).pathname;
  assert.deepEqual((await world.server.api("GET", path)).guests.map((g) => g.name), ["Ana Pérez", "Łukasz Nowak"]);
  await ana.goto(`${path}/edit`);
  await ana.at("[data-name=guests] .token", { hasText: "Ana Pérez" }).locator("button").click();
  await save(ana);
  await ana.address(path);
  assert.deepEqual((await world.server.api("GET", path)).guests.map((g) => g.name), ["Łukasz Nowak"]);

  await ana.goto("/contacts/1/edit");
  for (const key of ["email", "sms"]) await ana.at(`[name=consent][value=${key}]`).check();
  await save(ana);
  await ana.address("/contacts/1");
  assert.deepEqual((await world.server.api("GET", "/contacts/1")).consent.sort(), ["email", "sms"]);
  await ana.goto("/contacts/1/edit");
  for (const key of ["email", "sms"]) await ana.at(`[name=consent][value=${key}]`).uncheck();
  await save(ana);
  await ana.address("/contacts/1");
  assert.deepEqual((await world.server.api("GET", "/contacts/1")).consent ?? [], []);
}));

test("money is read as people of the language write it", world.story(async () => {
  for (const [language, typed, wanted] of [["es", "1.234,50", "1234.50"], ["pl", "1 234,5", "1234.50"]]) {
    const who = await world.person({ language });
    await who.goto("/opportunities/new");
    await who.page.fill("[name=name]", `Dinero ${language}`);
    await who.page.fill("[name=amount]", typed);
    await save(who);
    await who.address(/^\/opportunities\/\d+$/);
    assert.equal((await world.server.api("GET", new URL(who.page.url()).pathname)).amount.amount, wanted, language);
  }
}));

test("a date is typed as its reader writes it, or taken from the calendar", world.story(async () => {
  for (const [language, typed, shown, hint] of [["es", "5/8/2026", "05/08/2026", "dd/mm/aaaa"], ["pl", "5.8.2026", "05.08.2026", "dd.mm.rrrr"]])
    for (const device of [wide, phone]) {
      const who = await world.person({ language, device });
      await who.goto("/opportunities/new");
      await who.page.fill("[name=name]", `Fecha ${language}`);
      const date = who.at("[name=closing_date]");
      assert.equal(await date.getAttribute("placeholder"), hint);
      await date.fill(typed);
      await who.page.evaluate(() => scrollTo(0, 0)); // nothing half under the bar
      await who.accessible(`a form with a date, ${language}`);
      await save(who);
      await who.address(/^\/opportunities\/\d+$/);
      const path = new URL(who.page.url()).pathname;
      assert.equal((await world.server.api("GET", path)).closing_date, "2026-08-05", language);

      await who.goto(`${path}/edit`);
      assert.equal(await date.inputValue(), shown);
      const button = who.at(".dated:has([name=closing_date]) .calendar-button");
      assert.equal(await button.getAttribute("aria-label"), who.t("Choose in the calendar"));
      await date.focus();
      await who.page.keyboard.press("Tab");
      assert.ok(await button.evaluate((b) => b === document.activeElement), "the button is the next stop of the keyboard");
      // What the browser's calendar does when a day is chosen.
      await who.at(".dated:has([name=closing_date]) .calendar").evaluate((calendar) => {
        calendar.value = "2026-12-31";
        calendar.dispatchEvent(new Event("change", { bubbles: true }));
      });
      assert.equal(await date.inputValue(), shown.replace("05", "31").replace("08", "12"));
      await save(who);
      await who.address(path);
      assert.equal((await world.server.api("GET", path)).closing_date, "2026-12-31", language);
    }
}));
