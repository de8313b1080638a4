// Without scripts: everything that matters works all the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, languages, phone, wide } from "./people.mjs";

const world = new World(async (server) => {
  await server.make("companies", { name: "Panadería Ñandú" });
  await server.makeMany("contacts", 4, (i) => ({ name: `Contacto ${i}`, city: i % 2 ? "Lugo" : "Vigo" }));
});
const rows = "tbody tr[data-href]";
const save = (who) => who.page.click(".form .form-foot button.go");

for (const language of languages)
  for (const [size, device] of Object.entries({ wide, phone }))
    test(`a day without scripts: ${language}, ${size}`, world.story(async () => {
      const user = await world.administrator(language);
      const ana = await world.stranger({ language, device, javaScriptEnabled: false });
      ana.expects(422);
      await ana.signIn(user);

      await ana.goto("/contacts?sort=name");
      await ana.page.click("#add-filter summary");
      await ana.page.click("#filter-panel a[href*='with=city']");
      await ana.page.selectOption("[name=filter_op]", "eq");
      await ana.page.fill("[name=filter_value]", "Lugo");
      await ana.page.click(".filter-form button.go");
      await ana.count(rows, 2);
      await ana.page.click(".bar .pill .pill-end");
      await ana.at(rows).nth(3).waitFor();

      await ana.goto("/contacts/new");
      await ana.page.fill("[name=email]", "no es");
      await save(ana);
      await ana.count(".control[data-key=email] .problem", 1);
      const name = `Nueva ${language} ${size}`;
      await ana.page.fill("[name=name]", name);
      await ana.page.fill("[name=email]", "nueva@example.com");
      await ana.page.fill("[name='company.text']", "panaderia ñandu");
      await save(ana);
      await ana.sees("h1", name);
      await ana.sees(".fact[data-key=company] dd", "Panadería Ñandú");
      const path = new URL(ana.page.url()).pathname;

      await ana.goto(`${path}/edit`);
      await ana.page.fill("[name=city]", "Łódź");
      await save(ana);
      await ana.sees(".fact[data-key=city] dd", "Łódź");
      await ana.sees("#days .event >> nth=0 >> .changes", "Łódź");

      await ana.page.fill("#comment", "Sin guiones");
      await ana.page.click("#say button");
      await ana.sees("#days .event >> nth=0", "Sin guiones");

      await ana.page.click(".heading-end details.menu summary");
      await ana.page.click(`a[href='${path}/delete']`);
      await ana.page.click(".ask button.danger");
      await ana.address("/contacts");
      await ana.sees(".flash", ana.t("Deleted. It can be restored."));
      assert.ok((await world.server.api("GET", "/contacts?deleted=1")).items.some((r) => r.name === name));
      await ana.page.click(".flash a");
      await ana.sees(".notice", /Eliminado el|Usunięto/);
      await ana.page.click(".notice form button");
      await ana.count(".notice form", 0);
      assert.ok((await world.server.api("GET", "/contacts")).items.some((r) => r.name === name));

      await ana.page.click(".top summary.face");
      await ana.button("Sign out").click();
      await ana.address(/^\/sign-in/);
      await ana.goto("/contacts");
      await ana.address(/^\/sign-in/);
    }));
