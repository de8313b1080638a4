// One's own settings of look and density, and how dates and times are written, show at once, before they are saved.
// The page brings what each way of writing looks like in each language.
function showExample(form) {
  const samples = form.querySelector("#samples")?.content;
  const language = form.elements.language?.value || document.documentElement.lang;
  for (const place of form.querySelectorAll("[data-example]")) {
    const name = place.dataset.example;
    const found = samples?.querySelector(`[lang="${language}"][data-of="${name}"][data-key="${form.elements[name]?.value ?? ""}"]`);
    if (found) place.textContent = found.textContent;
  }
}

export function startTheme() {
  document.addEventListener("change", (event) => {
    const { name, value } = event.target;
    const form = event.target.closest?.('form[action^="/settings"]');
    if (form) showExample(form);
    if (!form || (name !== "theme" && name !== "density")) return;
    const set = name === "theme" ? ["light", "dark"].includes(value) : value === "comfortable";
    if (set) document.documentElement.dataset[name] = value;
    else delete document.documentElement.dataset[name];
  });
}
