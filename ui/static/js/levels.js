// Importing a history: levels that are typed can be chosen at once. Without scripts they can after "Show again".
function names(box) {
  const seen = new Set();
  return box.value
    .split(";")
    .map((name) => name.trim())
    .filter((name) => name && !seen.has(name.toLowerCase()) && seen.add(name.toLowerCase()));
}

function offer(select, wanted) {
  const has = (name) => [...select.options].some((option) => option.value.toLowerCase() === name.toLowerCase());
  for (const option of select.querySelectorAll("option[data-typed]"))
    if (!option.selected && !wanted.includes(option.value)) option.remove();
  for (const name of wanted) {
    if (has(name)) continue;
    const option = new Option(name, name);
    option.dataset.typed = "";
    select.append(option);
  }
}

export function startLevels(root) {
  for (const box of root.querySelectorAll("input[data-levels]"))
    box.addEventListener("change", () => {
      for (const select of box.form.querySelectorAll("select[data-level]")) offer(select, names(box));
    });
}
