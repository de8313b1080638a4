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
      await ana.sees(".drop .file", ana.t("Choose a file"));
      await ana.sees(".drop .file", ana.t("No file chosen"));
      assert.deepEqual(await ana.at("#file").evaluate((input) => [input.offsetWidth, getComputedStyle(input, "::file-selector-button").display]), [1, "none"], "the browser's words are not seen");
      await ana.page.setInputFiles("#file", file(mark));
      await ana.sees(".drop .file", `${mark}.csv`);
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

      await ana.page.click("#import-state a[href*='/history?operation=']");
      await ana.address(/^\/history\?operation=\d+$/);
      await ana.sees(".table.log", `${mark} Uno`);
      await ana.sees(".table.log", `${mark} Dos`);
      const events = (await ana.at("tbody.change").allInnerTexts()).filter((row) => !row.includes(mark));
      assert.ok(events.length <= 1, `nothing else is among them: ${events}`);
      if (size === "phone") await ana.page.click(".fold > summary");
      await ana.page.click(".bar .pill a.pill-end");
      await ana.address("/history");
    }));

test("a file is chosen by keyboard, or dropped, and named", world.story(async () => {
  const ana = await world.person();
  ana.page.on("filechooser", () => {}); // from now on, not from when the first is waited for
  await ana.goto("/cases/new");
  const place = ana.at(".control[data-key=attachment] .file"), sent = ana.at(".control[data-key=attachment] .uploads");
  await ana.at("#f-attachment").focus();
  assert.equal(await place.locator(".button").evaluate((button) => getComputedStyle(button).outlineStyle), "solid", "one sees where one is");
  const [chooser] = await Promise.all([ana.page.waitForEvent("filechooser"), ana.page.keyboard.press("Enter")]);
  await chooser.setFiles(file("Tecla"));
  await ana.sees(sent, "Tecla.csv");
  const [again] = await Promise.all([ana.page.waitForEvent("filechooser"), place.locator(".button").click()]);
  await again.setFiles(file("Ratón"));
  await ana.sees(sent, "Ratón.csv");
  assert.equal(await place.locator("[data-file]").isVisible(), false, "what is chosen stands below");
  await ana.page.fill("[name=subject]", "Con archivo");
  await ana.page.click(".form .form-foot button.go");
  await ana.sees(".fact[data-key=attachment]", "Ratón.csv");

  await ana.goto("/contacts/import");
  await ana.at(".drop").evaluate((drop) => {
    const data = new DataTransfer();
    data.items.add(new File(["Nombre\nUno\n"], "soltado.csv", { type: "text/csv" }));
    drop.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await ana.sees(".drop .file", "soltado.csv");
}));
