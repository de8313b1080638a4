// The history of another system, brought in by somebody who only clicks and types: what the file has is shown, groups get
// levels, activities what they set, a column becomes a field; then the report of levels tells the ways of the cases.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "./server.mjs";
import { World, languages, phone, wide } from "./people.mjs";

const world = new World();
const real = join(process.env.CRONISTA_SHARED_DATA ?? join(root, "../shared/data"), "levels/helpdesk.csv");
const activities = ["Assign seriousness", "Take in charge ticket", "Resolve ticket", "Closed"];

// Like the real one: the columns and kinds of values are the same, of fewer cases. One column has a name of its own, so that
// nothing is remembered of another file.
function helpDesk(mark, cases) {
  const lines = [`case:concept:name,event_index,concept:name,org:resource,time:timestamp,seriousness,customer,product,responsible_section,seriousness ${mark},service_level,service_type,support_section,workgroup`];
  for (let i = 0; i < cases; i++)
    for (const [n, activity] of activities.entries()) {
      const at = new Date(Date.UTC(2012, i % 12, 1 + (i % 20), 8 + 3 * n, i % 60)).toISOString().replace(".000Z", "+00:00");
      const group = n === 0 || (n === 3 && i % 2) ? 1 : n === 1 ? 2 : (i % 2) + 2;
      lines.push(`${mark} ${i},${n},${activity},${mark} agent ${(i + n) % 5},${at},Value 1,Value ${i},Value 1,Value 1,Value ${1 + (i % 4)},Value 1,Value 1,Value 1,${mark} group ${group}`);
    }
  return Buffer.from(lines.join("\n") + "\n");
}

const again = (who) => who.page.locator("button[value=again]").last().click();
const column = async (who, name) => {
  const rows = await who.at("table.mapping").first().locator("tbody th").allInnerTexts();
  return rows.indexOf(name);
};
const go = async (who, name, key) => who.page.selectOption(`[name='column.${await column(who, name)}']`, key);
const found = (who, value) => who.at("table.found tbody tr", { has: who.page.getByRole("rowheader", { name: value, exact: true }) }).locator("select");

// From the file to the choices of the columns. Columns that are something else here are left out.
async function bring(who, file, kind) {
  await who.goto("/cases/import");
  await who.page.setInputFiles("#file", file);
  await who.page.click(".upload button.go");
  await who.at("table.mapping").waitFor();
  await who.page.selectOption("[name='history.rows']", "events");
  await again(who);
  await who.at("[name='history.case']").waitFor();
  for (const name of ["customer", "product", "responsible_section", "service_type"]) await go(who, name, "");
  await go(who, "workgroup", "group");
  await go(who, "org:resource", "owner");
  await go(who, kind, "+new");
  await again(who);
  await who.at("#levels-new").waitFor();
}

async function choose(who, scripts, kind, groups, levels) {
  await who.page.fill("#levels-new", levels.join("; "));
  if (scripts) await who.page.press("#levels-new", "Tab");
  else await again(who);
  for (const [group, level] of Object.entries(groups)) await found(who, group).selectOption(level);
  for (const [activity, status] of [["Take in charge ticket", "open"], ["Resolve ticket", "solved"], ["Closed", "closed"]]) await found(who, activity).selectOption(status);
  const own = who.at(".mapping .own input").first();
  assert.equal(await own.inputValue(), kind);
  await own.fill(`New ${kind}`);
}

async function importIt(who, cases, events) {
  await who.page.click("button[value=try]");
  await who.at("#import-state:not([data-poll]) .figures").waitFor({ timeout: 120000 });
  await who.at("#import-state form button.go").waitFor({ timeout: 120000 });
  const number = async (i) => Number((await who.at("#import-state .figure b").nth(i).innerText()).replace(/\D/g, ""));
  assert.deepEqual([await number(0), await number(1), await number(4)], [cases, events - cases, 0], "what a trial would create, change and refuse");
  await who.page.click("#import-state form button.go");
  await who.at("#import-state a[href*='/operations/']").first().waitFor({ timeout: 120000 });
  assert.deepEqual([await number(0), await number(1), await number(4)], [cases, events - cases, 0]);
}

async function report(who, levels) {
  await who.goto("/cases/journeys?by=level&ends=1");
  for (const level of levels) await who.sees("#main", level);
}

for (const language of languages)
  for (const [size, device, scripts] of [["wide", wide, true], ["phone", phone, true], ["plain", phone, false]])
    test(`a history is brought in by clicks: ${language}, ${size}`, world.story(async () => {
      const mark = `H${language}${size}`, names = ["Front", "Back", "Lab"].map((name) => `${name} ${mark}`);
      const user = await world.administrator(language);
      const who = scripts ? await world.person({ language, device }) : await world.stranger({ language, device, javaScriptEnabled: false });
      if (!scripts) await who.signIn(user);
      await bring(who, { name: `${mark}.csv`, mimeType: "text/csv", buffer: helpDesk(mark, 12) }, `seriousness ${mark}`);
      await who.sees("table.found", /Assign seriousness 12/);
      await who.sees("table.found", new RegExp(`${mark} group 2 24`));
      await choose(who, scripts, `seriousness ${mark}`, { [`${mark} group 1`]: names[0], [`${mark} group 2`]: names[1], [`${mark} group 3`]: names[2] }, names);
      if (scripts) {
        await who.page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight)); // nothing is half under the bar
        await who.accessible(`a history's columns and values, ${size}`);
        await who.picture(`import-history-${size}-${language}`, { fullPage: true });
      }
      await again(who);
      assert.equal(await found(who, `${mark} group 3`).inputValue(), names[2], "it is shown again");
      assert.equal(await who.at("#levels-new").inputValue(), names.join("; "));
      await who.sees("table.preview", /Take in charge ticket · .+: /);
      await importIt(who, 12, 48);
      await report(who, names);
      const levels = (await world.server.api("GET", "/levels?limit=200&sort=rank&columns=name")).items.map((one) => one.name).filter((name) => names.includes(name));
      assert.deepEqual(levels, names, "in the order in which they were typed");
      const cases = (await world.server.api("GET", `/cases?filter[external_id][starts]=${mark}&limit=50&columns=status,group`)).items;
      assert.deepEqual([cases.length, new Set(cases.map((one) => one.status))], [12, new Set(["closed"])]);
    }));

test("the real help desk is brought in by clicks", { skip: existsSync(real) ? false : "skipped: no shared data" }, world.story(async () => {
  const lines = readFileSync(real, "utf8").trim().split("\n").slice(1);
  const who = await world.person({ language: "es" });
  who.context.setDefaultTimeout(120000);
  await bring(who, real, "seriousness_2");
  await choose(who, true, "seriousness_2", {}, ["Desk 1", "Desk 2", "Desk 3"]);
  // Groups and people of this file have the same names.
  for (const [nth, level] of [[1, "Desk 1"], [2, "Desk 2"], [3, "Desk 3"]])
    await who.at("select[name^='group.']").nth(nth - 1).selectOption(level);
  await importIt(who, new Set(lines.map((line) => line.split(",")[0])).size, lines.length);
  await report(who, ["Desk 1", "Desk 2", "Desk 3"]);
}));
