// Everything by keyboard alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, languages, until } from "./people.mjs";

const world = new World(async (server) => {
  for (let i = 0; i < 5; i++) await server.make("contacts", { name: `Contacto ${i}`, city: "Lugo" });
});
const focused = (who) => who.page.evaluate(() => document.activeElement?.id || document.activeElement?.name || document.activeElement?.textContent.trim());
const isOpen = (who, selector) => who.at(selector).waitFor();

for (const language of languages)
  test(`lists, cards and the palette by keyboard: ${language}`, world.story(async () => {
    const ana = await world.person({ language });
    const press = (...keys) => keys.reduce((before, key) => before.then(() => ana.page.keyboard.press(key)), Promise.resolve());
    await ana.goto("/contacts?sort=name");
    await ana.page.locator("html.js").waitFor();
    await press("j", "j", "j", "k");
    await ana.sees("tr.at", "Contacto 1");
    await press("x");
    await ana.sees("[data-selected-count]", ana.t("Selected: {0}", 1));
    await press("x", "j", "Enter");
    await ana.address("/contacts/3");
    await ana.sees("h1", "Contacto 2");

    await press("c");
    assert.equal(await focused(ana), "comment");
    await ana.page.keyboard.type("jke? nada se abre");
    assert.equal(await ana.at("#comment").inputValue(), "jke? nada se abre");
    await press("Control+Enter");
    await ana.sees("#days .event >> nth=0", "jke? nada se abre");
    await ana.page.evaluate(() => document.activeElement.blur());

    await press("?");
    await isOpen(ana, "dialog .keys");
    await ana.sees("dialog .keys", ana.t("find and do anything"));
    await press("Escape");
    await ana.count("dialog[open]", 0);

    await press("e");
    await ana.address("/contacts/3/edit");
    await ana.page.locator("html.js").waitFor();
    await ana.page.fill("[name=city]", `Vigo ${language}`);
    await press("Control+Enter");
    await ana.address("/contacts/3");
    await ana.sees(".fact[data-key=city] dd", `Vigo ${language}`);

    await press("Control+k");
    await isOpen(ana, "dialog.palette");
    await ana.page.keyboard.type("contacto 4");
    await ana.at("dialog.palette a[aria-selected=true]", { hasText: "Contacto 4" }).waitFor();
    await press("Enter");
    await ana.address("/contacts/5");
    await ana.page.locator("html.js").waitFor();

    await press("Control+k");
    await ana.page.keyboard.type(ana.t("My settings"));
    await ana.at("dialog.palette a[href='/settings'][aria-selected=true]").waitFor();
    await press("Escape");
    await ana.count("dialog[open]", 0);
    await press("g", "l");
    await ana.address("/contacts");
    await ana.page.locator("html.js").waitFor();
    await press("g", "h");
    await ana.address("/");
  }));

// The browser moves the focus out of a window some time after it has closed; a quick typist is faster.
test("a key pressed right after a window has closed is not lost", world.story(async () => {
  const ana = await world.person();
  await ana.goto("/contacts/5");
  await ana.page.locator("html.js").waitFor();
  await ana.page.keyboard.press("Control+k");
  await isOpen(ana, "dialog.palette");
  await ana.page.evaluate(() => {
    const input = document.activeElement;
    document.querySelector("dialog.palette").close();
    for (const key of ["g", "l"]) input.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  });
  await ana.address("/contacts");
}));

test("the first stop of the Tab key leads past the menu", world.story(async () => {
  const ana = await world.person();
  await ana.goto("/contacts");
  await ana.page.keyboard.press("Tab");
  assert.equal(await focused(ana), ana.t("Skip to content"));
  await ana.page.keyboard.press("Enter");
  await until(async () => (await focused(ana)) === "main", "the content has the focus");
}));

test("single keys can be switched off", world.story(async () => {
  const ana = await world.person();
  await ana.goto("/keys");
  await ana.at("[data-single-keys] input").uncheck();
  await ana.goto("/contacts");
  await ana.page.locator("html.js").waitFor();
  await ana.page.keyboard.press("j");
  await ana.page.keyboard.press("Control+k");
  await isOpen(ana, "dialog.palette");
  await ana.count("tr.at", 0);
}));
