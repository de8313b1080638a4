// Every page, in light and dark, wide and on a phone: axe-core finds nothing, nothing is wider than the window, the page
// complains about nothing. And a picture of each.
import { test } from "node:test";
import { World, phone, wide } from "./people.mjs";

const ids = {};

const world = new World(async (server) => {
  await server.user("Andrés Ruiz");
  ids.company = await server.make("companies", { name: "Panadería Ñandú", city: "Sevilla" });
  const [, second] = await server.makeMany("contacts", 12, (i) => ({ name: `Andrés Ruiz ${i}`, city: ["Madrid", "Łódź", "Iași"][i % 3], email: `a${i}@example.com`, company: ids.company, consent: ["email", "phone"] }));
  ids.contact = second;
  ids.gone = await server.make("contacts", { name: "Contacto eliminado" });
  await server.api("DELETE", `/contacts/${ids.gone}`);
  ids.nobody = await server.make("contacts", { name: "Alguien", email: "alguien@example.com", birthday: "1990-02-03" });
  await server.api("POST", `/contacts/${ids.nobody}/comments`, { text: "Pide que se borren sus datos" });
  await server.api("POST", `/contacts/${ids.nobody}/anonymise`, { reason: "Art. 17" });
  ids.opportunity = await server.make("opportunities", { name: "Horno nuevo", company: ids.company, contact: ids.contact, amount: { amount: "48500", currency: "EUR" }, tags: ["urgente", "feria"], closing_date: "2027-02-11" });
  for (const change of [{ stage: "engaging" }, { stage: "proposal", next_step: "Enviar la oferta" }, { amount: { amount: "52900.50", currency: "EUR" } }])
    await server.api("PATCH", `/opportunities/${ids.opportunity}`, change);
  await server.api("POST", `/opportunities/${ids.opportunity}/comments`, { text: "Llamó la gerente.\nQuiere la oferta antes del viernes." });
  await server.make("tasks", { subject: "Llamar a la gerente", due: "2026-01-10T09:00:00Z", opportunity: ids.opportunity });
  await server.make("tasks", { subject: "Preparar la oferta", due: "2036-01-10T09:00:00Z", opportunity: ids.opportunity });
});

const typed = (selector, text, press) => async (who) => {
  await who.page.fill(selector, text);
  if (press) await who.page.press(selector, press);
};

// name: [address, what to do there, who sees it]
const pages = {
  home: ["/"],
  list: ["/contacts?filter[city][ne]=Lima&sort=-name"],
  "list-empty": ["/leads"],
  "list-nothing-found": ["/contacts?filter[q][contains]=zzzz"],
  "list-filter": ["/contacts?with=city"],
  "list-deleted": ["/contacts?deleted=1"],
  "list-selected": ["/contacts", async (who) => {
    await who.at("tbody .box input").first().check();
    await who.at(".band").waitFor();
  }],
  "list-columns": ["/contacts", (who) => who.at("details.menu:has([name=columns]) summary").click()],
  "opportunities": ["/opportunities"],
  tasks: ["/tasks"],
  activities: ["/activities"],
  reminders: ["/reminders"],
  "activity-rules": ["/settings/activities"],
  "sign-in-rules": ["/settings/sign-in"],
  "security": ["/settings/security"],
  "second-factor": ["/settings/second-factor"],
  "meeting-new": ["/tasks/new?kind=meeting"],
  card: [() => `/opportunities/${ids.opportunity}`, (who) => who.at("[data-live]").waitFor()],
  "card-contact": [() => `/contacts/${ids.contact}`],
  anonymise: [() => `/contacts/${ids.contact}/anonymise`, (who) => who.at(".more-picks summary").click()],
  certificate: [() => `/contacts/${ids.nobody}/certificate`],
  "card-company": [() => `/companies/${ids.company}`],
  "card-deleted": [() => `/contacts/${ids.gone}`],
  "card-fact": [() => `/opportunities/${ids.opportunity}`, async (who) => {
    await who.at(".fact[data-key=amount] dd").click();
    await who.at(".fact-form").waitFor();
  }],
  history: [() => `/opportunities/${ids.opportunity}/history`],
  "form-new": ["/opportunities/new"],
  "form-edit": [() => `/opportunities/${ids.opportunity}/edit`],
  "form-refused": ["/contacts/new", async (who) => {
    who.expects(422);
    await who.page.fill("[name=email]", "no es un correo");
    await who.page.click(".form-foot button.go");
    await who.at("[data-problems]").waitFor();
  }],
  "form-lookup": ["/opportunities/new", async (who) => {
    await who.at("[name='company.text']").pressSequentially("pana");
    await who.at("[data-name=company] [role=option]").first().waitFor();
  }],
  confirm: [() => `/contacts/${ids.contact}/delete`],
  search: ["/search?q=horno"],
  "search-empty": ["/search?q=zzzz"],
  keys: ["/keys"],
  "keys-window": ["/contacts", async (who) => {
    await who.page.keyboard.press("?");
    await who.at("dialog .keys").waitFor();
  }],
  palette: ["/", async (who) => {
    await who.page.keyboard.press("Control+k");
    await typed("dialog.palette input", "horno")(who);
    await who.at("dialog.palette .found-group a", { hasText: "Horno nuevo" }).first().waitFor();
  }],
  journeys: ["/opportunities/journeys?by=stage", (who) => who.at("[data-sankey], .journeys-figures").first().waitFor()],
  "journeys-nothing": ["/leads/journeys?to=2000-01-01"],
  "journeys-refused": ["/cases/journeys?from=ayer", null, 422],
  "journey-records": ["/opportunities/journeys/records?by=owner&sort=time"],
  "journey-stays": ["/opportunities/journeys/stays?by=stage&what=moved"],
  journey: [() => `/opportunities/${ids.opportunity}/journey`],
  log: ["/history"],
  "log-filtered": ["/history?module=opportunities&kind=edited"],
  operation: ["/operations/0"],
  proof: ["/log/3"],
  settings: ["/settings"],
  modules: ["/settings/modules"],
  "module-settings": ["/settings/modules/opportunities"],
  "field-new": ["/settings/modules/opportunities/new"],
  "field-choice": ["/settings/modules/opportunities/fields/stage"],
  users: ["/users"],
  "user-card": ["/users/2"],
  "user-new": ["/users/new"],
  "user-password": ["/users/2/password"],
  "not-there": ["/contacts/999999", null, 404],
  "menu-new": ["/", (who) => who.at(".menu-new summary").click()],
  "menu-self": ["/", (who) => who.at(".top summary.face").click()],
};

// What another width of the window may change.
const laidOut = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size", "meta-viewport", "landmark-one-main", "region", "label", "button-name", "link-name", "aria-hidden-focus"];

// In light as it comes; then, once, the same page in dark, where only the colours are others.
async function look(who, name, act) {
  const isPhone = name.endsWith("phone"), fullPage = isPhone && !act;
  await who.page.emulateMedia({ colorScheme: "light" });
  await who.picture(`${name}-light`, { fullPage });
  await who.accessible(`${name}, light`, isPhone ? laidOut : null);
  if (isPhone) return;
  await who.page.emulateMedia({ colorScheme: "dark" });
  await who.picture(`${name}-dark`, { fullPage });
  await who.accessible(`${name}, dark`, ["color-contrast", "link-in-text-block"]);
}

for (const [size, device] of Object.entries({ wide, phone })) {
  for (const [name, [address, act, status]] of Object.entries(pages))
    test(`${name}, ${size}`, world.story(async () => {
      const ana = await world.person({ device });
      if (status) ana.expects(status);
      await ana.goto(typeof address === "function" ? address() : address);
      await act?.(ana);
      await look(ana, `${name}-${size}`, act);
    }));
  test(`sign-in, ${size}`, world.story(async () => {
    const ana = await world.stranger({ device });
    await ana.goto("/sign-in");
    await look(ana, `sign-in-${size}`);
  }));
}
