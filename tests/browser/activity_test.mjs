// Activities with two people at once: closed and reopened on a card both look at; the form by kind; the page of one's own; reminders
// that come by themselves, once, and go everywhere when they are answered; something noted after it was done.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, languages, phone, until, wide } from "./people.mjs";

const world = new World();
const event = "#days .event";
const soon = (seconds) => new Date(Date.now() + seconds * 1000).toISOString().replace(/\.\d+Z/, "Z");
const live = (who) => who.at("[data-live]:not([hidden]):not(.waiting)").waitFor();

for (const language of languages)
  test(`an activity is closed and reopened on a card that two look at: ${language}`, world.story(async () => {
    const contact = await world.server.make("contacts", { name: "Con dos" });
    const task = await world.server.make("tasks", { subject: "Llamar hoy", contact, due: soon(3600) });
    const ana = await world.person({ language });
    const jan = await world.person({ language, device: phone });
    for (const who of [ana, jan]) {
      await who.goto(`/contacts/${contact}`);
      await live(who);
      await who.page.evaluate(() => (window.stillHere = true));
    }
    await ana.at(`${event} .activity-acts .close summary`).click();
    await ana.page.locator(`${event} .activity-acts [name=result]`).fill("Quedamos el lunes");
    await ana.accessible("the panel of an activity");
    await ana.at(`${event} .activity-acts .close [value=success]`).click();
    for (const who of [ana, jan]) {
      await who.sees(`${event} >> nth=0 >> .what`, "Llamar hoy", 2000);
      await who.sees(`${event} >> nth=0 >> .said`, "Quedamos el lunes", 2000);
      await who.count(".related .close", 0);
      await who.count(`${event} .activity-acts .reopen`, 1);
    }
    await jan.at(`${event} .activity-acts .reopen button`).click();
    for (const who of [ana, jan]) {
      await who.count(`${event} .activity-acts .reopen`, 0, 2000);
      await who.count(`${event} .activity-acts .close`, 1);
      await who.count(".related .close", 1);
      assert.equal(await who.page.evaluate(() => window.stillHere), true, "the page was not loaded again");
    }
    assert.equal((await world.server.api("GET", `/tasks/${task}`)).done, false);
    await ana.accessible("a card with activities");
  }));

test("what one is writing of an activity stays when the card changes around it", world.story(async () => {
  const contact = await world.server.make("contacts", { name: "Escribiendo" });
  await world.server.make("tasks", { subject: "Pendiente", contact, due: soon(3600) });
  const ana = await world.person();
  await ana.goto(`/contacts/${contact}`);
  await live(ana);
  await ana.at(".related .close summary").click();
  await ana.at(".related .close [name=result]").fill("A medio escr");
  await world.server.api("PATCH", `/contacts/${contact}`, { city: "Toledo" });
  await ana.sees(".fact[data-key=city] dd", "Toledo");
  assert.equal(await ana.at(".related .close [name=result]").inputValue(), "A medio escr");
}));

for (const [size, device] of Object.entries({ wide, phone }))
  test(`the form shows what belongs to the kind and keeps what was typed: ${size}`, world.story(async () => {
    const ana = await world.person({ device });
    await ana.goto("/tasks/new?kind=call");
    await ana.page.fill("[name=subject]", "Visita");
    const shown = async (key) => ana.at(`.control[data-key=${key}]`).isVisible();
    assert.deepEqual([await shown("place"), await shown("participants"), await shown("priority"), await shown("done")], [false, true, false, false]);
    await ana.at("a[data-kind=meeting]").click();
    assert.deepEqual([await shown("place"), await shown("start"), await shown("priority")], [true, true, false]);
    await ana.page.fill("[name=place]", "En su casa");
    await ana.at("a[data-kind=task]").click();
    assert.deepEqual([await shown("place"), await shown("start"), await shown("priority")], [true, false, true], "what was filled in stays");
    await ana.at("a[data-kind=meeting]").click();
    await ana.accessible("the form of a meeting");
    await ana.at(".form-foot .go").click();
    await ana.address(/^\/tasks\/\d+$/);
    const [made] = (await world.server.api("GET", "/tasks?sort=-id&limit=1&columns=kind,place,subject")).items;
    assert.deepEqual([made.kind, made.place, made.subject], ["meeting", "En su casa", "Visita"]);
  }));

test("participants are found by three digits of their number", world.story(async () => {
  await world.server.make("contacts", { name: "Rita Teléfono", phone: "+34 600 555 123" });
  const ana = await world.person();
  await ana.goto("/tasks/new?kind=call");
  await ana.page.fill("[name='guests.text']", "555");
  await ana.sees(".options [role=option]", /Rita Teléfono.*600 555 123/);
  await ana.page.keyboard.press("Enter");
  await ana.sees(".control[data-key=guests] .token", "Rita Teléfono");
}));

for (const [size, device] of Object.entries({ wide, phone }))
  test(`one's own activities are closed from their page: ${size}`, world.story(async () => {
    const user = await world.server.user(`Propias ${size}`, { language: "es" });
    await world.server.make("tasks", { subject: "La mía", owner: user.id, due: soon(-3600) });
    const ana = await world.person({ user, device });
    await ana.goto("/activities");
    await ana.sees("tr[data-href]", "La mía");
    await ana.accessible("my activities");
    await ana.at("tr[data-href] .close summary").click();
    await ana.at("tr[data-href] .close [value=failure]").click();
    await ana.count("tr[data-href]", 0);
    await ana.goto("/activities?when=done");
    await ana.sees("tr[data-href]", /La mía[^]*Sin éxito/);
    await ana.accessible("what is done");
  }));

test("a reminder comes by itself into one window, and goes everywhere when it is answered", world.story(async () => {
  const user = await world.server.user("Recordada", { language: "es" });
  const ana = await world.person({ user });
  await ana.goto("/contacts");
  const second = await ana.context.newPage();
  ana.watch(second);
  await second.goto("/companies");
  await second.bringToFront();
  await world.server.make("tasks", { subject: "Ahora mismo", owner: user.id, due: soon(3600), reminder: soon(3) });
  const shown = async () => [await ana.page.locator("#reminders [data-reminder]").count(), await second.locator("#reminders [data-reminder]").count()];
  await until(async () => (await shown()).reduce((a, b) => a + b) === 1, "one window shows it", 12000);
  const there = (await shown())[0] ? ana.page : second;
  assert.match(await there.locator("#reminders").innerText(), /Ahora mismo/);
  await there.reload();
  await until(async () => (await shown()).reduce((a, b) => a + b) === 1, "it is there after loading the page again");
  const now = (await shown())[0] ? ana.page : second;
  await now.locator("#reminders .menu summary").click();
  await now.locator("#reminders [name=minutes][value='15']").click();
  await until(async () => (await shown()).reduce((a, b) => a + b) === 0, "it is put off everywhere");
  await ana.goto("/contacts");
  await new Promise((done) => setTimeout(done, 700));
  assert.deepEqual(await shown(), [0, 0]);
}));

for (const language of languages)
  test(`something done is noted and told to who looks at the card: ${language}`, world.story(async () => {
    const contact = await world.server.make("contacts", { name: `Anotado ${language}` });
    const ana = await world.person({ language });
    const jan = await world.person({ language });
    for (const who of [ana, jan]) {
      await who.goto(`/contacts/${contact}`);
      await live(who);
    }
    await ana.at(".note > summary").click();
    await ana.accessible("the form of a note");
    await ana.page.selectOption(".note-form [name=way]", "visit");
    await ana.page.fill(".note-form [name=text]", "Les enseñé la nave");
    await ana.at(".note-form .go").click();
    for (const who of [ana, jan]) await who.sees(`${event} >> nth=0 >> .said`, "Les enseñé la nave", 2000);
    await ana.page.click(".chip[href*='kind=notes']");
    await ana.count(event, 1);
  }));
