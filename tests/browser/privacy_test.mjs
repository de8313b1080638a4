// A private activity with two people at once: whoever takes part goes on with it; from the other's windows it goes while they look, and it
// comes back when it is opened to everyone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, phone, words } from "./people.mjs";

const world = new World();
const live = (who) => who.at("[data-live]:not([hidden]):not(.waiting)").waitFor();

test("an activity becomes private while somebody else looks at it", world.story(async () => {
  const language = "es";
  const t = words(language);
  const contact = await world.server.make("contacts", { name: "Rosa Parra" });
  const user = await world.server.user(`Ana ${language}`);
  const ana = await world.person({ language, user });
  const jan = await world.person({ language, device: phone });
  const janAtTheTask = await world.person({ language });
  await ana.goto(`/tasks/new?kind=task&contact=${contact}`);
  await ana.page.fill("[name=subject]", "Sueldos del equipo");
  await ana.at(".form-foot .go").click();
  await ana.address(/^\/tasks\/\d+$/);
  const task = Number(new URL(ana.page.url()).pathname.split("/")[2]);
  await jan.goto(`/contacts/${contact}`);
  await janAtTheTask.goto(`/tasks/${task}`);
  janAtTheTask.expects(404);
  for (const who of [ana, jan, janAtTheTask]) await live(who);
  await jan.sees("#days", "Sueldos del equipo");
  await jan.sees("#side", "Sueldos del equipo");

  await ana.goto(`/tasks/${task}/edit`);
  await ana.page.check("[name=private]");
  await ana.accessible("the form of a private activity");
  await ana.at(".form-foot .go").click();
  await ana.address(new RegExp(`^/tasks/${task}$`));
  await ana.count("#activity .private", 1);
  await ana.sees("#days .event >> nth=0", t("{0} made this private", user.name));
  await jan.page.waitForFunction(() => !document.body.innerText.includes("Sueldos"), null, { timeout: 2000 });
  assert.equal(await jan.at("#story").isVisible(), true, "the customer's card stays");
  await janAtTheTask.page.waitForFunction(() => !document.querySelector("#live") && !document.body.innerText.includes("Sueldos"), null, { timeout: 3000 });

  await ana.goto(`/contacts/${contact}`);
  await ana.sees("#side", "Sueldos del equipo");
  await ana.count(".related .private", 1);
  await ana.accessible("a card with a private activity");
  await live(ana);
  await ana.goto(`/tasks/${task}/edit`);
  await ana.page.uncheck("[name=private]");
  await ana.at(".form-foot .go").click();
  await jan.sees("#side", "Sueldos del equipo", 2000);
  await jan.sees("#days", "Sueldos del equipo", 2000);
}));
