// Kinds of activities: the links above the form show what belongs to the kind, and keep what was typed.
function show(form, kind) {
  form.elements.kind.value = kind;
  for (const link of form.querySelectorAll("a[data-kind]")) {
    if (link.dataset.kind === kind) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  for (const control of form.querySelectorAll("[data-kinds]")) {
    const filled = [...control.querySelectorAll("input:not([type=hidden]), textarea, .token")].some((box) => box.matches(".token") || box.value);
    control.hidden = !filled && !control.dataset.kinds.split(" ").includes(kind);
  }
  for (const group of form.querySelectorAll("fieldset.group")) group.hidden = ![...group.querySelectorAll(".control")].some((control) => !control.hidden);
}

export function startKinds(root) {
  for (const link of root.querySelectorAll("form a[data-kind]"))
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      show(link.closest("form"), link.dataset.kind);
    });
}
