// The table of product lines: what was changed in a row is saved when one leaves it; a new line with its button or Enter.
export function startLines(root) {
  for (const form of root.querySelectorAll("form[data-lines]")) {
    form.addEventListener("input", (event) => event.target.closest("tr")?.classList.add("dirty"));
    form.addEventListener("change", (event) => {
      const row = event.target.closest("tr");
      if (row && row.dataset.line !== "new") form.requestSubmit();
    });
  }
}
