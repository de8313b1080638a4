// Menus are <details class="menu">: one open at a time, closed by Escape and by a click elsewhere, arrows move in them.
import { part, arrived } from "./part.js";

const items = (menu) => [...menu.querySelectorAll(".panel :is(a, button, input:not([type=hidden]), select)")];

function closeAll(but) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== but) menu.open = false;
}

function onKey(event) {
  const menu = event.target.closest?.("details.menu");
  if (!menu) return;
  if (event.key === "Escape" && menu.open) {
    menu.open = false;
    menu.querySelector("summary").focus();
    event.stopPropagation();
    return;
  }
  const typing = event.target.matches("input:not([type=checkbox]), select, textarea");
  if (typing || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
  const list = items(menu);
  if (!list.length) return;
  event.preventDefault();
  menu.open = true;
  const now = list.indexOf(document.activeElement);
  const next = event.key === "ArrowDown" ? now + 1 : now < 0 ? -1 : now - 1;
  list.at(next % list.length).focus();
}

// A filter to be added or changed is shown in the panel instead of on a page of its own.
async function openFilter(link) {
  const menu = document.getElementById("add-filter");
  const panel = document.getElementById("filter-panel");
  const { ok, fragment } = await part(link.href, "list-filter");
  if (!ok || !fragment.firstElementChild) return void (location.href = link.href);
  if (!panel.fields) panel.fields = [...panel.childNodes];
  panel.replaceChildren(fragment);
  arrived(panel);
  menu.open = true;
  panel.querySelector("[name=filter_value], select")?.focus();
}

function onClick(event) {
  const link = event.target.closest("a[data-filter]");
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
  if (link && plain) {
    event.preventDefault();
    openFilter(link);
    return;
  }
  const close = event.target.closest(".filter-form [data-close]");
  const panel = document.getElementById("filter-panel");
  if (close && panel?.fields) {
    event.preventDefault();
    panel.replaceChildren(...panel.fields);
    document.getElementById("add-filter").open = false;
  }
  if (!event.target.closest("details.menu")) closeAll(null);
}

export function startMenus() {
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  document.addEventListener(
    "toggle",
    (event) => {
      if (!event.target.matches?.("details.menu") || !event.target.open) return;
      closeAll(event.target);
      const panel = event.target.querySelector("#filter-panel");
      if (panel?.fields && !panel.querySelector("form")) panel.fields = null;
    },
    true,
  );
  // A stage path wider than its place shows the stage in question.
  document.querySelector(".stages .now")?.scrollIntoView({ block: "nearest", inline: "center" });
}
