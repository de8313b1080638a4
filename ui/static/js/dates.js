// A date is a text, written as its reader writes it. The button beside it opens the browser's own calendar.
import { element, icon, word } from "./words.js";

const two = (text) => text.padStart(2, "0");

// "31/12/2026 10:30" as "2026-12-31T10:30"; "" when it is no date.
function plain(text, time) {
  const [, day, clock = ""] = text.trim().match(/^(\S+?)(?:[T\s]+(\d{1,2}:\d{2}))?$/) ?? [];
  if (!day) return "";
  const iso = day.match(/^(\d{4})-(\d{1,2})-(\d{1,2})$/);
  const own = day.match(/^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$/);
  if (!iso && !own) return "";
  const [year, month, date] = iso ? iso.slice(1) : [own[3], own[2], own[1]];
  return `${year}-${two(month)}-${two(date)}${time ? `T${clock ? clock.padStart(5, "0") : "09:00"}` : ""}`;
}

function written(value, sign) {
  const [day, clock] = value.split("T");
  const text = sign === "-" ? day : day.split("-").reverse().join(sign);
  return clock ? `${text} ${clock}` : text;
}

function dress(input) {
  const { date: type, sign } = input.dataset;
  const calendar = element("input", { type, tabindex: "-1", "aria-hidden": "true", class: "calendar" });
  if (!calendar.showPicker || calendar.type !== type) return;
  const button = element("button", { type: "button", class: "calendar-button", "aria-label": word("calendar"), title: word("calendar") }, icon("calendar"));
  const place = element("span", { class: "dated" });
  const focused = document.activeElement === input;
  input.replaceWith(place);
  place.append(input, calendar, button);
  if (focused) input.focus();
  button.addEventListener("click", () => {
    calendar.value = plain(input.value, type !== "date");
    calendar.showPicker();
  });
  calendar.addEventListener("input", (event) => event.stopPropagation());
  calendar.addEventListener("change", (event) => {
    event.stopPropagation();
    if (!calendar.value) return;
    input.value = written(calendar.value, sign);
    input.focus();
    for (const name of ["input", "change"]) input.dispatchEvent(new Event(name, { bubbles: true }));
  });
}

export function startDates(root) {
  for (const input of root.querySelectorAll("input[data-date]")) if (!input.closest(".dated")) dress(input);
}
