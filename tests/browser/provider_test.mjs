// Signing in by a real OpenID provider (tests/provider), and out again: wide, on a phone, in the dark; without scripts, too.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, rmSync, writeFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { World, phone, wide } from "./people.mjs";
import { freePort, root, until } from "./server.mjs";

const folder = join(root, "tests", "provider");
const data = mkdtempSync(join(tmpdir(), "cronista-provider-"));
const accounts = {};
const known = join(data, "accounts.json");
const port = await freePort();
const issuer = `http://127.0.0.1:${port}`;
const site = await freePort();

if (!existsSync(join(folder, "node_modules", ".package-lock.json"))) execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: folder });
const save = () => writeFileSync(known, JSON.stringify(accounts));
save();
const provider = spawn(process.execPath, [join(folder, "provider.mjs")], {
  stdio: "ignore", env: { ...process.env, PORT: String(port), SITE: `http://127.0.0.1:${site}`, ACCOUNTS: known },
});
process.once("exit", () => provider.kill("SIGKILL"));
await until(async () => (await fetch(`${issuer}/jwks`)).ok, "the provider answers", 30000);

const world = new World(undefined, {
  port: site, arguments: ["--oidc-issuer", issuer, "--oidc-client-id", "cronista", "--oidc-label", "Andina"],
  environment: { CRONISTA_OIDC_CLIENT_SECRET: "a secret, with: signs & more" },
});
after(() => {
  provider.kill("SIGTERM");
  rmSync(data, { recursive: true, force: true });
});

// Somebody whose browser is not asked for the typeface that the provider's own pages want from elsewhere.
async function stranger(options) {
  const person = await world.stranger({ language: "es", ...options });
  await person.context.route("https://fonts.googleapis.com/**", (route) => route.fulfill({ contentType: "text/css", body: "" }));
  return person;
}

// What the provider's own pages ask.
async function agree(person, name) {
  await person.page.waitForURL(`${issuer}/**`);
  await person.page.fill("[name=login]", name);
  await person.page.fill("[name=password]", "any");
  await person.page.click("[type=submit]");
  await person.page.waitForSelector("[name=prompt][value=consent]", { state: "attached" });
  await person.page.click("[type=submit]");
}

for (const [name, options] of Object.entries({ wide: { device: wide }, phone: { device: phone }, dark: { device: { ...wide, colorScheme: "dark" } }, plain: { device: wide, javaScriptEnabled: false } }))
  test(`signing in by a provider, and out: ${name}`, world.story(async () => {
    const scripts = options.javaScriptEnabled !== false;
    const user = await world.server.user(`Eva ${name}`, { language: "es" });
    accounts[name] = { email: user.email, email_verified: true, name: "Eva" };
    save();
    const eva = await stranger(options);
    await eva.goto("/contacts");
    await eva.sees(".gate-sheet", "Entrar con Andina");
    if (scripts) await eva.accessible("sign-in with a provider");
    await eva.picture(`provider-sign-in-${name}`);
    await eva.page.click(".gate-sheet a.button");
    await agree(eva, name);
    await eva.address("/contacts");
    await eva.goto("/settings");
    await eva.sees("#identities", issuer);
    if (scripts) await eva.accessible("settings with a provider");
    await eva.picture(`provider-settings-${name}`, { fullPage: true });

    const laura = await world.person({ language: "es", device: options.device });
    await laura.goto(`/users/${user.id}`);
    await laura.sees("main", "entró mediante Andina");
    await laura.picture(`provider-card-${name}`, { fullPage: true });
    await laura.goto(`/users/${user.id}/provider`);
    await laura.sees("main", "Andina · ");
    await laura.accessible("the page that asks");
    await laura.picture(`provider-end-${name}`);

    if (!scripts) return;
    await eva.goto("/");
    await eva.page.click(".top summary.face");
    await eva.button("Sign out").click();
    await eva.address("/sign-in?left=1");
    await eva.sees("[role=status]", "En Andina puede seguir abierta");
    await eva.accessible("signed out");
    await eva.picture(`provider-left-${name}`);
    await eva.page.click("[role=status] a");
    await eva.page.waitForURL(`${issuer}/**`);
    await eva.page.click("[name=logout]");
    await eva.page.waitForURL(`http://127.0.0.1:${site}/sign-in*`);
    // Nobody is let in by what was: it asks again.
    await eva.page.click(".gate-sheet a.button");
    await eva.page.waitForURL(`${issuer}/**`);
    assert.equal(await eva.page.locator("[name=login]").count(), 1);
  }));

test("who is not known is told so", world.story(async () => {
  accounts.nobody = { email: "nobody@example.org", email_verified: true, name: "Nobody" };
  save();
  const nobody = await stranger({ device: phone });
  nobody.expects(403);
  await nobody.goto("/sign-in");
  await nobody.page.click(".gate-sheet a.button");
  await agree(nobody, "nobody");
  await nobody.sees("[role=alert]", "no hay ningún usuario para su cuenta de Andina");
  await nobody.accessible("not known");
  await nobody.picture("provider-unknown-phone");
}));
