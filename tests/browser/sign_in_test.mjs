// Signing in and out, in two languages, wide and on a phone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, phone, wide } from "./people.mjs";

const world = new World();
const texts = {
  es: { title: /^Entrar/, wrong: "El correo o la contraseña no son correctos", home: "Inicio" },
  pl: { title: /^Zaloguj/, wrong: "Adres e-mail lub hasło są nieprawidłowe", home: "Start" },
};

for (const [language, text] of Object.entries(texts))
  for (const [name, device] of Object.entries({ wide, phone }))
    test(`signing in: ${language}, ${name}`, world.story(async () => {
      const user = await world.administrator(language);
      const ana = await world.stranger({ language, device });
      await ana.goto("/contacts");
      await ana.address(/^\/sign-in\?next=/);
      assert.equal(await ana.at("html").getAttribute("lang"), language);
      assert.match(await ana.page.title(), text.title);
      await ana.picture(`sign-in-${language}-${name}`);

      ana.expects(403);
      await ana.page.fill("#email", user.email);
      await ana.page.fill("#password", "not the password");
      await ana.page.keyboard.press("Enter");
      await ana.sees("[role=alert]", text.wrong);
      assert.equal(await ana.at("#email").inputValue(), user.email, "what was typed stays");
      assert.equal(await ana.at("#password").inputValue(), "", "but not the password");

      await ana.page.fill("#password", user.password);
      await ana.page.keyboard.press("Enter");
      await ana.address("/contacts");
      await ana.goto("/");
      await ana.sees(device === phone ? ".dock a[aria-current]" : ".rail a[aria-current]", text.home);

      await ana.page.click(".top summary.face");
      await ana.button("Sign out").click();
      await ana.address(/^\/sign-in/);
      await ana.goto("/contacts");
      await ana.address(/^\/sign-in/);
    }));

test("the language of the sign-in page can be chosen", world.story(async () => {
  const ion = await world.stranger({ language: "es" });
  await ion.goto("/sign-in");
  await ion.page.click(".languages a[lang=ro]");
  await ion.sees("h1", "Autentificare");
  assert.equal(await ion.at("html").getAttribute("lang"), "ro");
}));
