// A date is a text, written as its reader writes it. The button beside it opens the browser's own calendar.
import { element, icon, word } from "./words.js";
import { plain, waysOf, writtenClock, writtenDay } from "./written.js";

function written(value, ways) {
  const [day, clock] = value.split("T");
  return clock ? `${writtenDay(day, ways)} ${writtenClock(clock, ways)}` : writtenDay(day, ways);
}

function dress(input) {
  const { date: type } = input.dataset;
  const calendar = element("input", { type, tabindex: "-1", "aria-hidden": "true", class: "calendar" });
  if (!calendar.showPicker || calendar.type !== type) return;
  const button = element("button", { type: "button", class: "calendar-button", "aria-label": word("calendar"), title: word("calendar") }, icon("calendar"));
  const place = element("span", { class: "dated" });
  const focused = document.activeElement === input;
  input.replaceWith(place);
  place.append(input, calendar, button);
  if (focused) input.focus();
  button.addEventListener("click", () => {
    calendar.value = plain(input.value, type !== "date", waysOf(input.form));
    calendar.showPicker();
  });
  calendar.addEventListener("input", (event) => event.stopPropagation());
  calendar.addEventListener("change", (event) => {
    event.stopPropagation();
    if (!calendar.value) return;
    input.value = written(calendar.value, waysOf(input.form));
    input.focus();
    for (const name of ["input", "change"]) input.dispatchEvent(new Event(name, { bubbles: true }));
  });
}

export function startDates(root) {
  for (const input of root.querySelectorAll("input[data-date]")) if (!input.closest(".dated")) dress(input);
}
