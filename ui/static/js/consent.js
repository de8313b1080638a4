// A customer's page of consents: that it was opened is told when somebody does something on it, not when it is fetched, as programs
// that look through mail do. Saving tells it, too, so this is not needed; it tells it of those who read and change nothing.
export function startConsent() {
  const form = document.querySelector("form.consent-page");
  if (!form) return;
  const doings = ["pointerdown", "keydown"];
  const seen = (event) => {
    if (!event.isTrusted) return; // made by a script
    for (const doing of doings) removeEventListener(doing, seen, true);
    const body = new URLSearchParams({ csrf: form.elements.csrf.value, seen: "1" });
    fetch(form.action, { method: "POST", body, redirect: "manual", keepalive: true }).catch(() => {});
  };
  for (const doing of doings) addEventListener(doing, seen, true);
}
