// One's own settings of look and density show at once, before they are saved.
export function startTheme() {
  document.addEventListener("change", (event) => {
    const { name, value } = event.target;
    const form = event.target.closest?.('form[action^="/settings"]');
    if (!form || (name !== "theme" && name !== "density")) return;
    const set = name === "theme" ? ["light", "dark"].includes(value) : value === "comfortable";
    if (set) document.documentElement.dataset[name] = value;
    else delete document.documentElement.dataset[name];
  });
}
