// Parts of records with several people at once: a step is ticked, lines are added and changed on a card that two look at; a customer
// in a browser of their own withdraws a consent with a link, and the salesperson sees it as it happens.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, languages, phone, until } from "./people.mjs";

const ids = {};
const world = new World(async (server) => {
  ids.process = await server.make("processes", { name: "Venta", steps: "Llamada\nOferta\nContrato" });
  ids.news = await server.make("consent_kinds", { name: "Boletín", text: "Una carta al mes.\nNada más." });
  ids.calls = await server.make("consent_kinds", { name: "Llamadas", text: "Podemos llamarle.", needed: true });
  await server.make("products", { name: "Sensor", price: { amount: "120.00", currency: "EUR" } });
});
const live = (who) => who.at("[data-live]:not([hidden]):not(.waiting)").waitFor();
const newest = "#days .event >> nth=0 >> .what";

for (const language of languages)
  test(`steps and lines on a card that two look at: ${language}`, world.story(async () => {
    const deal = await world.server.make("opportunities", { name: "Cámara fría", process: ids.process });
    const ana = await world.person({ language });
    const jan = await world.person({ language, device: phone });
    for (const who of [ana, jan]) {
      await who.goto(`/opportunities/${deal}`);
      await live(who);
      await who.page.evaluate(() => (window.stillHere = true));
    }
    await ana.at("[data-step=s2]").click();
    for (const who of [ana, jan]) {
      await who.sees(newest, who.t("{0} ticked the step {1} of the process {2}", ana.world.administrators ? (await world.administrator(language)).name : "", "Oferta", "Venta"), 2000);
      await who.count("[data-step=s2][aria-checked=true]", 1, 2000);
      await who.sees("#process .tag", who.t("{0} of {1}", "1", "3"));
    }
    await jan.at("[data-step=s2]").click();
    await ana.count("[data-step=s2][aria-checked=true]", 0, 2000);

    await ana.page.click("#lines summary");
    await ana.at("[name='product.new.text']").pressSequentially("Sens");
    await ana.at(".line-new [role=option]").first().waitFor();
    await ana.page.keyboard.press("Enter");
    await ana.page.fill("[name='quantity.new']", "3");
    await ana.at(".line-new .line-acts button").click();
    for (const who of [ana, jan]) await who.sees("#lines tbody tr >> nth=0 >> .total", "360,00", 2000);
    await ana.at(".follow button").click();
    await jan.count(".follow [aria-checked=true]", 1, 2000);
    const [line] = (await world.server.api("GET", `/opportunities/${deal}/lines`)).items;
    // Somebody else changes a cell: it is saved when one leaves it, and one's own unfinished row stays.
    await ana.page.fill("[name='name.new']", "A medio escr");
    const quantity = jan.at(`[name='quantity.${line.id}']`);
    await quantity.fill("5");
    await quantity.press("Tab");
    await ana.sees("#lines tbody tr >> nth=0 >> .total", "600,00", 2000);
    assert.equal(await ana.at("[name='name.new']").inputValue(), "A medio escr");
    await ana.sees(".fact[data-key=amount] dd", "600,00", 2000);
    await ana.accessible("a card with a process and lines");
    await jan.accessible("a card with a process and lines on a phone");
    assert.equal(await ana.page.evaluate(() => window.stillHere), true, "the page was not loaded again");
    await jan.at(`#lines [name=delete][value='${line.id}']`).click();
    await ana.count(`#line-${line.id}`, 0, 2000);
    await ana.sees(newest, /./);
  }));

test("a line that can't be taken is shown again with what is wrong", world.story(async () => {
  const deal = await world.server.make("opportunities", { name: "Mal" });
  const ana = await world.person();
  await ana.goto(`/opportunities/${deal}`);
  await live(ana);
  ana.expects(422);
  await ana.page.click("#lines summary");
  await ana.page.fill("[name='name.new']", "Montaje");
  await ana.page.fill("[name='price.new']", "10");
  await ana.page.fill("[name='discount.new']", "130");
  await ana.at(".line-new .line-acts button").click();
  await ana.sees("#line-new-discount-problem", ana.t("A percentage from 0 to 100."));
  assert.equal(await ana.at("[name='name.new']").inputValue(), "Montaje");
  assert.equal((await world.server.api("GET", `/opportunities/${deal}/lines`)).items.length, 0);
}));

for (const language of languages)
  test(`a customer withdraws a consent with a link while the salesperson looks on: ${language}`, world.story(async () => {
    const contact = await world.server.make("contacts", { name: "Carla Ruiz", language });
    await world.server.api("POST", `/contacts/${contact}/consents`, { kind: ids.news, state: "given" });
    const ana = await world.person({ language });
    await ana.goto(`/contacts/${contact}`);
    await live(ana);
    await ana.at("#consents details.menu summary").click();
    await ana.accessible("the panel of a link");
    await ana.at("#consents .panel .go").click();
    const link = await ana.at("#made-link").inputValue();
    await live(ana);
    await ana.accessible("a card with a link that was just made");
    await ana.at("[data-copy]").click();
    await ana.page.evaluate(() => (window.stillHere = true));

    const carla = await world.stranger({ language: "ro", device: phone });
    await carla.page.goto(link);
    assert.equal(await carla.page.evaluate(() => document.documentElement.lang), language, "the language of the contact");
    await ana.sees("#consents .consent-link", ana.t("not opened yet"));
    await carla.at("h1").click(); // what a program that looks through mail does not do
    await ana.sees(newest, ana.t("{0} opened the page of the consents", "").trim(), 2000);
    await carla.accessible("the customer's page");
    await carla.page.uncheck(`[name='given.${ids.news}']`);
    await carla.page.check(`[name='given.${ids.calls}']`);
    await carla.at(".consent-page .go").click();
    await carla.sees(".notice.won", carla.world && ana.t("Your choice is saved. Thank you."));
    const lost = ana.at(`#consents [data-kind='${ids.news}'] .tag.lost`), won = ana.at(`#consents [data-kind='${ids.calls}'] .tag.won`);
    await until(async () => (await lost.count()) === 1 && (await won.count()) === 1, "the card shows what the customer chose", 2000);
    assert.equal(await ana.at("#made-link").inputValue(), link, "the link stays while its card changes");
    await ana.sees("#days", ana.t("{0} withdrew the consent {1}", "", "Boletín").trim());
    assert.equal(await ana.page.evaluate(() => window.stillHere), true, "the page was not loaded again");
    await ana.at("#consents .consent-link button").click();
    await ana.count("#consents .consent-link", 0, 2000);
    carla.expects(404);
    const gone = await carla.page.goto(link);
    assert.equal(gone.status(), 404);
  }));
