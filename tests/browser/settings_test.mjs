// What administrators and everyone set: fields of modules, users, one's own settings; and the change log that tells of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, languages, phone, until } from "./people.mjs";
import { otherPassword } from "./server.mjs";

const world = new World(async (server) => {
  await server.make("contacts", { name: "Ana Pérez", city: "Madrid" });
});
const save = (who) => who.page.click(".form .form-foot button.go");

for (const language of languages)
  test(`a field is added while running, renamed, hidden and moved: ${language}`, world.story(async () => {
    const label = language === "es" ? "Color favorito" : "Ulubiony kolor";
    const ana = await world.person({ language });
    await ana.goto("/settings/modules/contacts");
    await ana.page.click(".heading-end a.go");
    await ana.page.fill("[name=label]", label);
    await ana.page.selectOption("[name=type]", "text");
    await save(ana);
    await ana.address("/settings/modules/contacts");
    const row = () => ana.at(".field-row", { hasText: label });
    await row().waitFor();
    const key = await row().getAttribute("data-key");

    await ana.goto("/contacts/1/edit");
    await ana.page.fill(`[name=${key}]`, "azul");
    await save(ana);
    await ana.sees(`.fact[data-key=${key}]`, new RegExp(`${label}.*azul`));
    await ana.sees("#days .event >> nth=0 >> .changes", new RegExp(`${label}.*azul`));

    await ana.goto("/settings/modules/contacts");
    await row().locator("a").click();
    await ana.page.fill("[name=label]", `${label} 2`);
    await save(ana);
    await ana.address("/settings/modules/contacts");
    await ana.goto("/contacts/1");
    await ana.sees(`.fact[data-key=${key}] dt`, `${label} 2`);

    await ana.goto("/settings/modules/contacts");
    const order = () => ana.at(".field-row").evaluateAll((all) => all.map((row) => row.dataset.key));
    const before = await order();
    const place = before.indexOf(key);
    await row().locator("[value^='up ']").click();
    await until(async () => (await order()).indexOf(key) === place - 1, "it is one place higher");

    await row().locator("[value^='hide ']").click();
    await ana.at(`.field-row.gone[data-key=${key}]`).waitFor();
    await ana.goto("/contacts/1");
    await ana.at(".fact[data-key=city]").waitFor({ state: "attached" });
    await ana.count(`.fact[data-key=${key}]`, 0);
    await ana.goto("/settings/modules/contacts");
    await row().locator("[value^='show ']").click();
    await ana.count(`.field-row.gone[data-key=${key}]`, 0);
    await ana.goto("/contacts/1");
    await ana.sees(`.fact[data-key=${key}] dd`, "azul");
  }));

test("a user is added, signs in, is deactivated, and is out at once", world.story(async () => {
  const ana = await world.person();
  await ana.goto("/users/new");
  await ana.page.fill("[name=name]", "Marta Gil");
  await ana.page.fill("[name=email]", "marta@example.org");
  await ana.page.fill("[name=new_password]", otherPassword);
  if (await ana.at("[data-name=level] .token").count() === 0) {
    await ana.at("[data-name=level] input[role=combobox]").pressSequentially("1");
    await ana.at("[data-name=level] [role=option]").first().click();
  }
  await save(ana);
  await ana.address(/^\/users\/\d+$/);
  const path = new URL(ana.page.url()).pathname;

  const marta = await world.stranger();
  await marta.signIn({ email: "marta@example.org", password: otherPassword });
  await marta.goto("/contacts/1");
  await marta.sees("h1", "Ana Pérez");

  await ana.goto(`${path}/edit`);
  await ana.at("#f-active").uncheck();
  await save(ana);
  await ana.address(path);
  await marta.goto("/contacts");
  await marta.address(/^\/sign-in/);
  marta.expects(403);
  await marta.page.fill("#email", "marta@example.org");
  await marta.page.fill("#password", otherPassword);
  await marta.page.keyboard.press("Enter");
  await marta.at("[role=alert]").waitFor();
}));

test("a member finds no settings of the account and no change log", world.story(async () => {
  const user = await world.server.user("Pedro Sanz", { language: "es" });
  const pedro = await world.person({ user });
  pedro.expects(403), pedro.expects(404);
  await pedro.goto("/contacts");
  await pedro.count(".rail a[href='/history'], .rail a[href='/settings/modules'], .rail a[href='/users']", 0);
  for (const path of ["/history", "/settings/modules", "/settings/modules/contacts"])
    assert.ok([403, 404].includes((await pedro.page.goto(path)).status()), path);
}));

test("one's own language and theme change the pages", world.story(async () => {
  const user = await world.server.user("Elena Sol", { language: "es" });
  const elena = await world.person({ user });
  await elena.goto("/settings");
  await elena.page.selectOption("[name=theme]", "dark");
  await elena.page.selectOption("[name=language]", "pl");
  await elena.button("Save").first().click();
  await until(async () => (await elena.at("html").getAttribute("lang")) === "pl", "the page is Polish");
  assert.equal(await elena.at("html").getAttribute("data-theme"), "dark");
  const dark = await elena.page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).slice(0, 3).every((c) => Number(c) < 80));
  assert.ok(dark, "the ground is dark");
  await elena.goto("/contacts/1");
  await elena.sees(".rail", "Kontakty");
  await elena.accessible("card with the dark theme chosen");
}));

test("one's own ways of writing dates and times show at once, and scripts follow them", world.story(async () => {
  const user = await world.server.user("Irene Paz", { language: "es", profile: "administrator" });
  const irene = await world.person({ user });
  await irene.goto("/settings");
  const shown = async (text) => irene.sees(".example", text);
  await shown("23 nov 2026 · 23/11/2026 16:42 lun mar mié jue vie sáb dom");
  await irene.page.selectOption("[name=date_format]", "mdy_slash");
  await shown("11/23/2026 16:42 lun");
  await irene.page.selectOption("[name=clock]", "12");
  await shown("11/23/2026 4:42 p. m. lun");
  await irene.page.selectOption("[name=week_from]", "sunday");
  await shown("dom lun mar mié jue vie sáb");
  await irene.page.selectOption("[name=language]", "pl");
  await shown("11/23/2026 4:42 PM niedz. pon.");
  await irene.page.selectOption("[name=date_format]", "");
  await shown("23 lis 2026 · 23.11.2026 4:42 PM");
  await irene.page.selectOption("[name=date_format]", "mdy_slash");
  await irene.page.selectOption("[name=language]", "es");
  await irene.accessible("/settings");
  await save(irene);
  await irene.address(/^\/settings/);
  await shown("11/23/2026 4:42 p. m. dom lun");

  // The browser's calendar is opened at what was typed, and what is chosen there is written as the person writes.
  const id = await world.server.make("tasks", { subject: "Llamar", kind: "call", due: "2026-11-23T15:42:00Z" });
  await irene.goto(`/tasks/${id}/edit`);
  const due = irene.at("[name=due]");
  assert.equal((await due.inputValue()).replace(/\s/g, " "), "11/23/2026 4:42 p. m.");
  const calendar = irene.at(".dated:has([name=due]) .calendar");
  await irene.page.evaluate(() => (HTMLInputElement.prototype.showPicker = () => {}));
  const opened = async (typed) => {
    await due.fill(typed);
    await irene.at(".dated:has([name=due]) .calendar-button").click();
    return calendar.inputValue();
  };
  assert.equal(await opened("1/2/2026 12:05 a. m."), "2026-01-02T00:05");
  assert.equal(await opened("2026-01-02 3:30 pm"), "2026-01-02T15:30");
  assert.equal(await opened("1/2/2026"), "2026-01-02T09:00");
  assert.equal(await opened("31/1/2026"), "", "that is no date in this form");
  await calendar.evaluate((node) => {
    node.value = "2026-02-01T13:05";
    node.dispatchEvent(new Event("change", { bubbles: true }));
  });
  assert.equal((await due.inputValue()).replace(/\s/g, " "), "02/01/2026 1:05 p. m.");
  await save(irene);
  await irene.address(`/tasks/${id}`);
  assert.equal((await world.server.api("GET", `/tasks/${id}`)).due, "2026-02-01T12:05:00Z");
  await irene.accessible("a card with times of twelve hours");

  // The knob of the ribbon tells its moment in that form.
  await irene.goto("/contacts/1");
  const track = await irene.at(".ribbon-track").boundingBox();
  await irene.page.mouse.move(track.x + track.width, track.y + track.height / 2);
  await irene.page.mouse.down();
  await irene.page.mouse.move(track.x + track.width / 2, track.y + track.height / 2, { steps: 4 });
  assert.match((await irene.at(".ribbon-tip").innerText()).replace(/\s/g, " "), /^\d\d\/\d\d\/\d{4} \d{1,2}:\d\d [ap]\. m\.$/);
  await irene.page.mouse.up();
}));

test("on a phone a level is made and edited from its list", world.story(async () => {
  const ana = await world.person({ device: phone });
  await ana.goto("/levels");
  await ana.at(".heading-end a[href='/levels/new']").click(); // no other place of a phone leads there
  await ana.page.fill("[name=name]", "Especialistas");
  await save(ana);
  await ana.address(/^\/levels\/\d+$/);
  await ana.goto("/levels");
  await ana.accessible("levels on a phone");
  await ana.at("tr", { hasText: "Especialistas" }).locator(".edit a").click();
  await ana.page.fill("[name=description]", "Lo que nadie más sabe");
  await save(ana);
  await ana.goto("/levels");
  await ana.sees("tr", "Lo que nadie más sabe");
}));

test("what a profile reaches is shown to the last field", world.story(async () => {
  const ana = await world.person();
  await ana.goto("/profiles/member/reach");
  await ana.sees("tr:has-text('Usuarios') td", /Formato de fecha.*Densidad/);
  const cut = await ana.at("td").evaluateAll((all) => all.filter((cell) => cell.scrollWidth > cell.clientWidth + 1).map((cell) => cell.textContent));
  assert.deepEqual(cut, []);
  await ana.accessible("/profiles/member/reach");
}));

test("an API key is made, works, and is ended", world.story(async () => {
  const user = await world.server.user("Raúl Mar", { language: "es" });
  const raul = await world.person({ user });
  await raul.goto("/settings");
  await raul.page.fill("#keys [name=name]", "Contabilidad");
  await raul.page.click("#keys summary");
  await raul.page.check("#keys [name=modules][value=contacts]");
  await raul.accessible("/settings");
  await raul.picture("settings-key");
  await raul.page.click("#keys form.key-form button");
  const key = (await raul.at(".secret").innerText()).trim();
  const ask = async () => (await fetch(`${world.server.url}/api/contacts/1`, { headers: { Authorization: `Bearer ${key}` } })).status;
  assert.equal(await ask(), 200);
  const other = await fetch(`${world.server.url}/api/companies`, { headers: { Authorization: `Bearer ${key}` } });
  assert.equal(other.status, 404, "it is for contacts alone");
  await raul.goto("/settings");
  await raul.count(".secret", 0);
  await raul.at("#keys li", { hasText: "Contabilidad" }).locator("button").click();
  await raul.sees(".flash", raul.t("The API key is ended."));
  assert.equal(await ask(), 401);
}));

for (const language of [...languages, "ro"])
  test(`on a phone the filters of the change log fold: ${language}`, world.story(async () => {
    const ana = await world.person({ language, device: phone });
    ana.expects(422);
    await ana.goto("/history");
    const fold = ana.at(".bar .fold");
    const bar = await ana.at(".bar").boundingBox();
    assert.ok(bar.height < 80, `closed, they take ${bar.height}px`);
    assert.equal(await ana.at("#module").isVisible(), false);
    await ana.sees(".fold > summary", ana.t("Filters"));
    await ana.count(".fold .badge", 0);

    await fold.locator("summary").click();
    for (const name of ["from", "to"]) {
      const [label, input] = [await ana.at(`label[for=${name}]`).boundingBox(), await ana.at(`#${name}`).boundingBox()];
      assert.ok(Math.abs(label.y + label.height / 2 - input.y - input.height / 2) < 6, `the words of "${name}" stand beside its date`);
    }
    await ana.accessible("open filters of the change log, phone");
    await ana.picture(`history-filters-${language}`);
    await ana.page.selectOption("#module", "contacts");
    await ana.address(/module=contacts/);
    await ana.sees(".fold .badge", "1");
    assert.equal(await ana.at("#module").isVisible(), false, "folded again, the changes are seen");

    await fold.locator("summary").click();
    await ana.page.fill("#from", "32.13.2026");
    await ana.page.press("#from", "Enter");
    await ana.sees("#from-problem", ana.t("There is no such date: {0}. Dates are written like this: {1}", "32.13.2026", language === "es" ? "31/12/2026" : "31.12.2026"));
    assert.ok(await ana.at("#from").isVisible(), "what is wrong is seen");
    assert.deepEqual([await ana.at("#from").inputValue(), await ana.at("#from").getAttribute("aria-invalid")], ["32.13.2026", "true"]);
    assert.equal(await ana.at("#module").inputValue(), "contacts", "the other filters stay");
    await ana.accessible("a date that is none in the change log, phone");
    await ana.page.setViewportSize({ width: 1440, height: 900 });
    assert.ok(await ana.at("#module").isVisible() && !(await ana.at(".fold > summary").isVisible()), "a wide window shows them all");
    await ana.goto("/history");
    assert.ok(await ana.at("#module").isVisible(), "without being opened");
  }));

for (const [language, text] of Object.entries({ es: { edited: "Editado", verified: "Comprobado ahora mismo" }, pl: { edited: /Zmieni|Edyt|edyt/, verified: "Sprawdzono przed chwilą" } }))
  test(`the change log and its filters: ${language}`, world.story(async () => {
    const id = await world.server.make("companies", { name: `Registro ${language}`, city: "Lugo" });
    await world.server.api("PATCH", `/companies/${id}`, { city: "Vigo" });
    const ana = await world.person({ language });
    await ana.goto("/history");
    const move = ana.at("tbody.change", { hasText: "Lugo" }).filter({ hasText: `Registro ${language}` }).filter({ hasText: "Vigo" });
    await move.waitFor();
    await ana.sees(move.locator(".tag"), text.edited);
    await ana.page.selectOption("[name=module]", "companies");
    await ana.address(/module=companies/);
    await ana.page.selectOption("[name=kind]", "created");
    await ana.address(/kind=created/);
    await ana.sees("tbody.change >> nth=0", `Registro ${language}`);
    const shown = await ana.at("tbody.change").allInnerTexts();
    assert.ok(shown.every((row) => row.includes("Registro")), shown.join("\n"));
    await ana.goto("/history?module=companies&field=city&kind=edited");
    await ana.count("tbody.change", language === "es" ? 1 : 2);
    await ana.goto("/history?from=2001-01-01&to=2001-01-02");
    await ana.count("tbody.change", 0);
    await ana.at(".empty").waitFor();
    await ana.page.click(".bar a[href='/history'].button");
    await move.locator("a.position").click();
    await ana.address(/^\/log\/\d+$/);
    await ana.sees("main", text.verified);
  }));
