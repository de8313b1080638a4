// The import of a file: columns recognised, a trial that saves nothing, the import itself, and what it says of bad rows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, languages, phone, wide } from "./people.mjs";

const world = new World();
const file = (mark) => ({
  name: `${mark}.csv`,
  mimeType: "text/csv",
  buffer: Buffer.from(`Nombre completo;Correo;Ciudad\n${mark} Uno;uno@${mark}.example.com;Łódź\n${mark} Dos;dos@${mark}.example.com;Sevilla\n${mark} Tres;no es un correo;Lugo\n`),
});
const made = async (mark) => (await world.server.api("GET", `/contacts?filter[name][starts]=${mark}&sort=name`)).items.map((r) => r.name);

for (const language of languages)
  for (const [size, device] of Object.entries({ wide, phone }))
    test(`a file is tried and brought in: ${language}, ${size}`, world.story(async () => {
      const mark = `Imp${language}${size}`;
      const ana = await world.person({ language, device });
      await ana.goto("/contacts/import");
      await ana.accessible(`import, ${size}`);
      await ana.picture(`import-${size}`);
      await ana.page.setInputFiles("#file", file(mark));
      await ana.page.click(".upload button.go");
      await ana.at("table.mapping").waitFor();
      const chosen = (i) => ana.at(`[name='column.${i}']`).inputValue();
      if (language === "es") assert.deepEqual([await chosen(0), await chosen(1), await chosen(2)], ["name", "email", "city"], "columns are recognised");
      for (const [i, key] of ["name", "email", "city"].entries()) await ana.page.selectOption(`[name='column.${i}']`, key);
      await ana.accessible(`columns of an import, ${size}`);
      await ana.picture(`import-columns-${size}`);

      await ana.page.click("button[value=try]");
      await ana.at("#import-state:not([data-poll])").waitFor();
      await ana.sees("#import-state tbody tr", /^4 .*ana@example.com/);
      await ana.count("#import-state tbody tr", 1);
      assert.deepEqual(await made(mark), [], "a trial saves nothing");
      await ana.accessible(`trial of an import, ${size}`);
      await ana.picture(`import-trial-${size}`);

      await ana.page.click("#import-state form button.go");
      await ana.address(/^\/contacts\/import\/.+/);
      await ana.at("#import-state:not([data-poll]) a[href*='/operations/']").first().waitFor();
      assert.deepEqual(await made(mark), [`${mark} Dos`, `${mark} Uno`]);
      await ana.accessible(`result of an import, ${size}`);
      await ana.picture(`import-result-${size}`);
    }));
