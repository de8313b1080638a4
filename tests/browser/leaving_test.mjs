// Somebody is invited, comes in, gets something in charge, leaves: what they had goes to a colleague, and comes back when that
// is undone; wide, on a phone, in the dark.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, phone, wide, words } from "./people.mjs";

const world = new World();
const t = words("es");

for (const [name, device] of Object.entries({ wide, phone, dark: { ...wide, colorScheme: "dark" } }))
  test(`invited, in charge, gone, and back: ${name}`, world.story(async () => {
    const heir = await world.server.user(`Luis ${name}`, { language: "es" });
    const laura = await world.person({ language: "es", device });
    // Invited by a link, which is shown once.
    await laura.goto("/users/new");
    await laura.page.fill("#f-name", `Ana ${name}`);
    await laura.page.fill("#f-email", `ana.${name}@example.org`);
    await laura.accessible();
    await laura.page.click(".form-foot button.go");
    const url = await laura.at("#invitation-url").inputValue();
    assert.match(url, /^http.*\/invitation\/[\w-]{43}$/);
    assert.match(await laura.at('a[href^="mailto:"]').getAttribute("href"), new RegExp(`^mailto:ana\\.${name}%40example\\.org\\?subject=`));
    await laura.accessible();
    await laura.picture(`invitation-${name}`);
    await laura.goto("/users?filter[state][eq]=invited");
    await laura.sees("table", t("Invited, not yet accepted"));

    const ana = await world.stranger({ language: "es", device });
    await ana.goto(new URL(url).pathname);
    await ana.accessible();
    await ana.picture(`invited-${name}`);
    await ana.page.fill("#password", "la clave de Ana");
    await ana.page.fill("#again", "la clave de Ana");
    await ana.page.keyboard.press("Enter");
    await ana.address("/");
    await ana.goto("/companies/new");
    await ana.page.fill("#f-name", `De Ana ${name}`);
    await ana.page.keyboard.press("Enter");
    await ana.address(/^\/companies\/\d+$/);
    const company = new URL(ana.page.url()).pathname;

    // She leaves.
    await laura.goto(`/users?filter[email][eq]=ana.${name}@example.org`);
    const card = await laura.at("table a[href^='/users/']").first().getAttribute("href");
    await laura.goto(`${card}/deactivate`);
    await laura.sees("main", t("Companies"));
    await laura.page.check(`input[name=to][value="${heir.id}"]`);
    await laura.accessible();
    await laura.picture(`deactivate-${name}`);
    await laura.page.click("button.danger");
    await laura.address(/hand-over$/);
    await laura.sees("[role=status]", t("Everything is handed over."));
    await laura.accessible();
    await laura.picture(`handed-over-${name}`);
    ana.expects(401);
    await ana.goto(company);
    await ana.address(/^\/sign-in/);
    await laura.goto(company);
    await laura.sees("main", `Luis ${name}`);

    // It is undone: what it would do is shown first.
    await laura.goto(`${card}/hand-over`);
    await laura.page.click("[role=status] a");
    await laura.address(/^\/operations\/\d+$/);
    await laura.page.click("a[href$='/undo']");
    await laura.sees("table", `De Ana ${name}`);
    await laura.accessible();
    await laura.picture(`undo-${name}`);
    await laura.page.click("form.ask button.go");
    await laura.sees("[role=status]", t("The operation is undone."));
    await laura.sees("main", t("There is nothing that could be undone."));
    await laura.accessible();
    await laura.picture(`undone-${name}`);
    await laura.goto(company);
    await laura.sees("main", `Ana ${name}`);
  }));
