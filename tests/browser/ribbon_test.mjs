// The ribbon of a card: dragged by the mouse, moved by keys, asked for by a typed date, and live; without scripts its bars are links.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { World, languages, phone, until } from "./people.mjs";

const world = new World();
let life; // one record for all stories: born, renamed twice

// A company with a contact that leaves it between its two names; the moments it had its first and second name.
async function company() {
  if (life) return life;
  const { server } = world;
  const id = await server.make("companies", { name: "Primera" });
  const contact = await server.make("contacts", { name: "Jorge Pardo", company: id });
  const whole = Math.ceil((Date.now() + 1) / 1000) * 1000; // a moment that can be typed
  await pause(whole + 300 - Date.now());
  const born = new Date(whole).toISOString();
  await server.api("PATCH", `/companies/${id}`, { name: "Segunda", city: "Cali" });
  await server.api("PATCH", `/contacts/${contact}`, { company: null });
  await pause(300);
  const renamed = new Date().toISOString();
  await pause(300);
  await server.api("PATCH", `/companies/${id}`, { name: "Tercera" });
  await pause(300);
  life = { id, path: `/companies/${id}`, born, renamed };
  return life;
}

const heading = (who, text) => who.sees("h1", text);
const knob = (who) => who.at("#ribbon .knob");
const stay = (who) => who.page.evaluate(() => (window.stillHere = true));
const stayed = async (who) => assert.equal(await who.page.evaluate(() => window.stillHere), true, "the page was not loaded again");

// Where a moment stands in the window.
async function placeOf(who, moment) {
  const box = await who.at(".ribbon-track").boundingBox();
  const { from, to } = await who.at("#ribbon").evaluate((node) => ({ from: Number(node.dataset.from), to: Number(node.dataset.to) }));
  return { x: box.x + (box.width * (Date.parse(moment) - from)) / (to - from), y: box.y + box.height / 2, end: box.x + box.width };
}

for (const language of languages)
  test(`a card is dragged into its past and back: ${language}`, world.story(async () => {
    const { path, born, renamed } = await company();
    const who = await world.person({ language });
    await who.goto(path);
    await heading(who, "Tercera");
    await who.accessible("the card with its ribbon");
    await stay(who);
    const then = await placeOf(who, born);
    const later = await placeOf(who, renamed);
    await who.page.mouse.move(then.end, then.y);
    await who.page.mouse.down();
    await who.page.mouse.move(later.x, later.y, { steps: 6 });
    await heading(who, "Segunda");
    assert.ok(await who.at(".ribbon-tip").isVisible(), "the moment is told beside the knob");
    await who.page.mouse.move(then.x, then.y, { steps: 6 });
    await who.page.mouse.up();
    await heading(who, "Primera");
    await stayed(who);
    await who.sees(".notice.past", who.t("Back to now"));
    await who.sees(".related", "Jorge Pardo");
    assert.match(who.page.url(), /as_of=/);
    for (const gone of ["#say", ".pen", "[data-key-edit]", ".related .add", "[data-live]"]) await who.count(gone, 0);
    await who.accessible("a card as it was");
    await who.picture(`ribbon-past-${language}`);
    await who.page.getByRole("link", { name: who.t("What is different now"), exact: true }).click();
    await who.sees(".difference tbody", "Primera Tercera");
    await who.sees(".difference tbody", "Jorge Pardo");
    await who.accessible("what is different");
    await who.page.goBack();
    await heading(who, "Primera");
    await who.page.getByRole("link", { name: who.t("Back to now"), exact: true }).click();
    await heading(who, "Tercera");
    await who.address(path);
    await who.at("#say").waitFor();
  }));

test("by keys: events one by one, the first, and now", world.story(async () => {
  const { path } = await company();
  const who = await world.person();
  await who.goto(path);
  await stay(who);
  await knob(who).focus();
  const shown = async () => (await knob(who).getAttribute("aria-valuetext")).length > 0 && Number(await knob(who).getAttribute("aria-valuenow"));
  let last = await shown();
  const names = [];
  for (let i = 0; i < 5; i++) {
    await who.page.keyboard.press("ArrowLeft");
    const before = last;
    last = await until(async () => (await shown()) < before && shown(), "an earlier moment is shown");
    names.push((await who.at("h1").innerText()).trim());
  }
  assert.deepEqual(names, ["Tercera", "Segunda", "Segunda", "Primera", "Primera"]);
  assert.ok(await knob(who).evaluate((node) => node === document.activeElement), "the knob keeps the focus");
  await who.page.keyboard.press("ArrowRight");
  await who.page.keyboard.press("ArrowRight");
  await heading(who, "Segunda");
  await who.page.keyboard.press("Home");
  await heading(who, "Primera");
  await who.page.keyboard.press("PageUp");
  await until(async () => (await shown()) > last, "a twelfth of its life later");
  await stayed(who);
  await who.page.keyboard.press("End");
  await heading(who, "Tercera");
  await who.count(".notice.past", 0);
}));

test("a moment is typed as its reader writes it", world.story(async () => {
  const { path, born } = await company();
  const who = await world.person({ language: "pl" });
  const typed = async (text) => {
    await who.page.fill("#ribbon-moment", text);
    await who.page.press("#ribbon-moment", "Enter");
  };
  const part = Object.fromEntries(new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Madrid", dateStyle: "short", timeStyle: "medium" })
    .formatToParts(Date.parse(born)).map(({ type, value }) => [type, value]));
  const day = [part.day, part.month, part.year].join(".");
  await who.goto(path);
  await typed(`${day} ${part.hour}:${part.minute}:${part.second}`);
  await heading(who, "Primera");
  await typed(day); // its end is still to come
  await heading(who, "Tercera");
  await who.address(/as_of=/);
  who.expects(422);
  await typed(["31", "02", part.year].join("."));
  await who.at("#ribbon-problem").waitFor();
  assert.equal(await who.at("#ribbon-moment").inputValue(), ["31", "02", part.year].join("."));
  await who.accessible("a date that is none");
  await typed(["01", "01", "2001"].join("."));
  await who.sees("#ribbon-problem", who.t("It did not exist yet at that time."));
  }));

test("an event that happens meanwhile stands in the ribbon", world.story(async () => {
  const { server } = world;
  const path = `/contacts/${await server.make("contacts", { name: "Cinta viva" })}`;
  const who = await world.person();
  await who.goto(path);
  await who.at("[data-live]:not([hidden]):not(.waiting)").waitFor();
  await who.sees(".ribbon-count", /· 1 evento /);
  await stay(who);
  await server.api("PATCH", path, { city: "Lima" });
  await who.sees(".ribbon-count", /· 2 eventos /);
  await until(async () => (await who.at(".ribbon-track svg a").count()) === 2, "a bar for the new event");
  assert.equal(await knob(who).isVisible(), true, "the new ribbon can be dragged, too");
  await stayed(who);
}));

test("the bars of a long story come after its card, and follow it", world.story(async () => {
  const { server } = world;
  const path = `/contacts/${await server.make("contacts", { name: "Vida larga" })}`;
  for (let n = 0; n < 200; n++) await server.api("PATCH", path, { city: `Ciudad ${n}` });
  const who = await world.person();
  await who.goto(path);
  await who.sees(".ribbon-count", /· 201 eventos /);
  await until(async () => (await who.at(".ribbon-track svg a").count()) > 0, "the bars");
  await who.count(".ribbon-count a", 0);
  await stay(who);
  await who.at("[data-live]:not([hidden]):not(.waiting)").waitFor();
  await server.api("PATCH", path, { city: "Lima" });
  await who.sees("#days", /Lima/);
  assert.ok((await who.at(".ribbon-track svg a").count()) > 0, "the bars stay until there are newer ones");
  await who.sees(".ribbon-count", /· 202 eventos /);
  await stayed(who);
}));

test("on a phone, and without scripts", world.story(async () => {
  const { path, born } = await company();
  const who = await world.person({ device: phone });
  await who.goto(path);
  await who.accessible("the card on a phone");
  const then = await placeOf(who, born);
  await who.page.touchscreen.tap(then.x, then.y);
  await heading(who, "Primera");
  await who.accessible("a card as it was on a phone");
  await who.picture("ribbon-phone");
  const plain = await world.person({ javaScriptEnabled: false });
  await plain.goto(path);
  await plain.at(".ribbon-track svg a").first().click();
  await heading(plain, "Primera");
  await plain.at("a[rel=next]").click();
  await plain.sees(".ribbon-says", /\d/);
  await plain.page.getByRole("link", { name: plain.t("Back to now"), exact: true }).click();
  await plain.address(path);
}));
