// Dates and times as the reader writes them. The page says how: on <html> are the form of dates in numbers (data-dates), whether
// months are words where dates are read (data-months), and the clock (data-clock). A form brings along the ways that it is written
// in, which may be older or newer than the page's.
import { word } from "./words.js";

const ways = document.documentElement.dataset;
const two = (value) => String(value).padStart(2, "0");
const orders = { iso: "ymd", dmy_slash: "dmy", dmy_dot: "dmy", mdy_slash: "mdy" };
const signs = { iso: "-", dmy_slash: "/", dmy_dot: ".", mdy_slash: "/" };

// Those of a form, and without one those of the page: {dates, clock}.
export function waysOf(form) {
  const [dates, clock] = form?.elements["form.written"]?.value.split(" ") ?? [];
  return clock ? { dates, clock } : ways;
}

// Of "2026-12-31", as it is typed.
export function writtenDay(iso, { dates } = ways) {
  const [y, m, d] = iso.split("-");
  const part = { y, m, d };
  const form = dates in orders ? dates : "iso";
  return [...orders[form]].map((letter) => part[letter]).join(signs[form]);
}

// Of "16:42" or "16:42:07".
export function writtenClock(clock, { clock: kind } = ways) {
  if (kind !== "12") return clock;
  const [hours, ...rest] = clock.split(":");
  return `${[hours % 12 || 12, ...rest].join(":")}\u00a0${word(hours < 12 ? "am" : "pm")}`;
}

// A moment in milliseconds, in a zone; the year always.
export function writtenMoment(moment, zone) {
  const parts = new Intl.DateTimeFormat("en", {
    calendar: "gregory", numberingSystem: "latn", hourCycle: "h23", timeZone: zone || undefined,
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
  }).formatToParts(moment);
  const { year, month, day, hour, minute } = Object.fromEntries(parts.map(({ type, value }) => [type, value]));
  const iso = `${year.padStart(4, "0")}-${month}-${day}`;
  const date = "months" in ways
    ? new Intl.DateTimeFormat(document.documentElement.lang || undefined, { day: "numeric", month: "short", year: "numeric", timeZone: zone || undefined }).format(moment)
    : writtenDay(iso);
  return `${date} ${writtenClock(`${hour}:${minute}`)}`;
}

const half = /\s*([ap])\.?\s*m\.?$/i;

// "3:30 pm" as "15:30"; "" when it is no time of day.
function plainClock(text) {
  const found = text.replace(half, "").match(/^(\d{1,2}):(\d{2})$/);
  const letter = text.match(half)?.[1].toLowerCase();
  if (!found) return "";
  let hours = Number(found[1]);
  if (letter && (hours < 1 || hours > 12)) return "";
  if (letter) hours = (hours % 12) + (letter === "p" ? 12 : 0);
  return hours < 24 && Number(found[2]) < 60 ? `${two(hours)}:${found[2]}` : "";
}

// What was typed: "31/12/2026 10:30" as "2026-12-31T10:30" (without a time that of the morning), or only its day; "" when it is
// no date. The year first is ISO 8601, whatever the form.
export function plain(text, time, { dates } = ways) {
  const [, day, clock = ""] = text.trim().match(/^(\d\S*?\d)(?:[T,\s]+(\d{1,2}:.*))?$/) ?? [];
  if (!day) return "";
  const iso = day.match(/^(\d{4})-(\d{1,2})-(\d{1,2})$/);
  const own = day.match(/^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$/);
  if (!iso && !own) return "";
  const [year, month, date] = iso ? iso.slice(1) : dates === "mdy_slash" ? [own[3], own[1], own[2]] : [own[3], own[2], own[1]];
  const hours = clock ? plainClock(clock) : "09:00";
  return time && !hours ? "" : `${year}-${two(month)}-${two(date)}${time ? `T${hours}` : ""}`;
}
