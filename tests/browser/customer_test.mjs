// The whole of it: two people at one card, in two languages. What each does the other sees at once, without loading the page; each
// filter then shows just what it says, by the history that the API tells.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, until } from "./people.mjs";

const SOON = 1000; // milliseconds in which the other sees it
const world = new World();
const event = "#days .event";
const live = (who) => who.at("[data-live]:not([hidden]):not(.waiting)").waitFor();

// What the events of a history are about, told from what they say.
function groupsOf(told, stage) {
  const fields = (told.changes ?? []).map((change) => change.field).filter((field) => !field.startsWith("~"));
  const of = (field) => (told.changes ?? []).find((change) => change.field === field)?.new;
  const groups = new Set();
  if (["commented", "comment_deleted"].includes(told.kind)) groups.add("comments");
  if (told.kind === "noted") groups.add("notes");
  if (told.module === "tasks" && of("done") === true) groups.add(of("outcome") === "failure" ? "tasks_failed" : "tasks_done");
  if (told.files || told.kind === "file_erased" || told.documents || told.file_gone) groups.add("documents");
  if (!["created", "commented", "noted"].includes(told.kind))
    for (const field of fields) groups.add(told.module === "opportunities" && field === stage ? "status" : "information");
  return groups;
}

test("what two people do at one card, each sees at once, and every filter shows just its part", world.story(async () => {
  const jan = await world.server.user("Jan Widzący", { language: "pl", profile: "administrator" });
  const id = await world.server.make("opportunities", { name: "Horno grande", amount: { amount: "1000", currency: "EUR" } });
  const path = `/opportunities/${id}`;
  const task = await world.server.make("tasks", { subject: "Llamar hoy", opportunity: id, due: "2026-01-01T10:00:00Z" });
  const ana = await world.person();
  const other = await world.person({ user: jan, language: "pl" });
  for (const who of [ana, other]) {
    await who.goto(path);
    await live(who);
    await who.page.evaluate(() => (window.stillHere = true));
  }
  const took = [];
  // does: what the first one does; sees: what the second one must see within a second of the first having seen it done.
  const both = async (what, does, ...sees) => {
    await does();
    const start = Date.now();
    for (const look of sees) await look();
    took.push(Date.now() - start);
    assert.ok(took.at(-1) < SOON, `${what} took ${took.at(-1)} ms to the other`);
  };

  await both("a mention", async () => {
    await ana.page.locator("#comment").pressSequentially("Mira, @Jan W");
    await ana.sees("#say .options [role=option]", "Jan Widzący");
    await ana.page.keyboard.press("Enter");
    await ana.page.keyboard.press("Control+Enter");
    await ana.sees(`${event} >> nth=0 >> .mention`, "@Jan Widzący");
  }, () => other.sees(`${event} >> nth=0 >> .mention`, "@Jan Widzący"), () => until(async () => (await other.at(".bell b").textContent()) === "1", "the bell"));

  await both("the answer", async () => {
    await other.page.fill("#comment", "Już patrzę");
    await other.page.click("#say .go");
    await other.sees(`${event} >> nth=0`, "Już patrzę");
  }, () => ana.sees(`${event} >> nth=0`, "Już patrzę"));

  await both("the closed task", async () => {
    await ana.at(`${event} .activity-acts .close summary`).click();
    await ana.page.locator(`${event} .activity-acts [name=result]`).fill("Quedamos el lunes");
    await ana.at(`${event} .activity-acts .close [value=success]`).click();
    await ana.sees(`${event} >> nth=0 >> .said`, "Quedamos el lunes");
  }, () => other.sees(`${event} >> nth=0 >> .said`, "Quedamos el lunes"), () => other.count(`${event} .activity-acts .reopen`, 1));

  await both("the reopened task", async () => {
    await other.at(`${event} .activity-acts .reopen button`).click();
    await other.count(`${event} .activity-acts .reopen`, 0);
  }, () => ana.count(`${event} .activity-acts .reopen`, 0), () => ana.count(".related .close", 1));
  assert.equal((await world.server.api("GET", `/tasks/${task}`)).done, false);

  await both("the document", async () => {
    await ana.page.setInputFiles("#say input[type=file]", { name: "oferta.txt", mimeType: "text/plain", buffer: Buffer.from("Oferta\n") });
    await ana.count("#say .uploads li.done", 1);
    await ana.page.fill("#comment", "Va la oferta");
    await ana.page.click("#say .go");
    await ana.sees(`${event} >> nth=0 >> .attached`, "oferta.txt");
  }, () => other.sees(`${event} >> nth=0 >> .attached`, "oferta.txt"));

  await both("the stage", async () => {
    await other.page.click(".stages [value=proposal]");
    await other.at(".stages [value=proposal][aria-current=step]").waitFor();
  }, () => ana.at(".stages [value=proposal][aria-current=step]").waitFor(), () => ana.sees(`${event} >> nth=0 >> .changes`, /Prospección.*Propuesta/));

  await both("the person in charge", async () => {
    await ana.at(".fact[data-key=owner] dd").click();
    await ana.page.locator(".fact-form [name=owner]").selectOption({ label: "Jan Widzący" });
    await ana.at(".fact-form button.go").click();
    await ana.sees(".fact[data-key=owner] dd", "Jan Widzący");
  }, () => other.sees(".fact[data-key=owner] dd", "Jan Widzący"), () => other.sees(`${event} >> nth=0 >> .what`, "Jan Widzący"));

  // The document goes for good: ana is asked on a page of its own, Jan's page stays.
  await both("the deleted document", async () => {
    await ana.at(".attached a.erase").click();
    await ana.page.click("form.ask button.danger");
    await ana.sees(".flash", ana.t("The document was deleted for good."));
  }, () => other.sees(`${event} >> nth=0 >> .what`, "oferta.txt"), () => other.count(`a[href*="/documents/"]`, 0));
  assert.equal(await other.page.evaluate(() => window.stillHere), true, "the page was not loaded again");
  console.log(`# the other saw it after ${took.map((ms) => `${ms} ms`).join(", ")}`);

  const told = (await world.server.api("GET", `${path}/history?limit=200`)).items;
  const shown = () => other.at(event).evaluateAll((all) => all.map((one) => Number(one.dataset.position)).sort((a, b) => b - a));
  assert.deepEqual(await shown(), told.map((one) => one.position));
  const documents = (one) => one.kind === "commented" && one.text === "Va la oferta"; // of its file only the trace is left
  for (const group of ["comments", "tasks_done", "status", "information", "documents"]) {
    const wanted = told.filter((one) => groupsOf(one, "stage").has(group) || (group === "documents" && documents(one)));
    assert.ok(wanted.length, group);
    await other.goto(`${path}?kind=${group}`);
    assert.deepEqual(await shown(), wanted.map((one) => one.position), group);
    assert.equal(Number((await other.at(`.chip[aria-current] em`).innerText()).trim()), wanted.length, `${group}, counted`);
  }
  await other.goto(`${path}?kind=all`); // it is kept for other cards
}));
