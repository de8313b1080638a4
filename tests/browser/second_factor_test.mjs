// A second factor: set up with what the page shows, and asked for at the next sign-in; wide, on a phone, in the dark.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { World, phone, wide } from "./people.mjs";

const world = new World();

// RFC 6238 with the secret as the page shows it.
function code(secret, step) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret.replace(/\s/g, "")].map((c) => letters.indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const message = Buffer.alloc(8);
  message.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", key).update(message).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1000000).padStart(6, "0");
}
const stepNow = () => Math.floor(Date.now() / 30000);

for (const [name, device] of Object.entries({ wide, phone, dark: { ...wide, colorScheme: "dark" } }))
  test(`a second factor is set up and asked for: ${name}`, world.story(async () => {
    const user = await world.server.user(`Ana ${name}`, { language: "es" });
    const ana = await world.stranger({ language: "es", device });
    await ana.signIn(user);
    await ana.goto("/settings");
    await ana.picture(`settings-factor-${name}`);
    await ana.page.click("#factor a");
    await ana.address("/settings/second-factor");
    await ana.picture(`factor-begin-${name}`);
    await ana.page.fill("#f-password", user.password);
    await ana.page.keyboard.press("Enter");
    const secret = await ana.at(".factor-secret code").innerText();
    const box = await ana.at("svg.qr").boundingBox();
    assert.ok(box.width >= 150 && Math.abs(box.width - box.height) < 2, "large enough for a camera");
    await ana.accessible();
    await ana.picture(`factor-confirm-${name}`);
    const step = stepNow();
    await ana.page.fill("#f-code", code(secret, step - 1));
    await ana.page.keyboard.press("Enter");
    await ana.at("#codes").waitFor();
    assert.equal(await ana.page.locator("#codes li").count(), 10);
    await ana.accessible();
    await ana.picture(`factor-codes-${name}`);
    const recovery = await ana.page.locator("#codes code").first().innerText();

    const there = await world.stranger({ language: "es", device });
    await there.goto("/sign-in?next=%2Fcontacts");
    await there.page.fill("#email", user.email);
    await there.page.fill("#password", user.password);
    await there.page.keyboard.press("Enter");
    await there.address(/^\/sign-in\/second/);
    await there.accessible();
    there.expects(403);
    await there.page.fill("#code", code(secret, step - 1));
    await there.page.keyboard.press("Enter");
    await there.sees("[role=alert]", "El código no es correcto");
    await there.picture(`factor-second-${name}`);
    await there.page.fill("#code", code(secret, step));
    await there.page.keyboard.press("Enter");
    await there.address("/contacts");

    await ana.goto("/settings/second-factor");
    await ana.page.fill("#f-password", user.password);
    await ana.page.fill("#f-code", recovery);
    await ana.page.click("button.danger");
    await ana.sees("main", "Entrar también con un código");
  }));
