// Endless lists and stories: the link to the rest is followed when it comes near, and what it leads to is put in its place. And the
// count of a list, which is asked for after the list is there.
import { part, arrived } from "./part.js";
import { word } from "./words.js";

const parts = { rows: "list-rows", events: "card-events", newer: "card-events", log: "log-rows" };

// Puts the events of days where they belong by their position. Gives those that were not there yet. Newer days come first.
export function mergeDays(days, sections, newer) {
  const added = [];
  for (const section of sections) {
    const known = days.querySelector(`.day[data-date="${CSS.escape(section.dataset.date)}"]`);
    const fresh = [...section.querySelectorAll(".event")].filter((e) => !document.getElementById(e.id));
    if (!fresh.length) continue;
    added.push(...fresh);
    if (!known) {
      section.querySelector("ol").replaceChildren(...fresh);
      const after = [...days.querySelectorAll(".day")].find((d) => d.dataset.date < section.dataset.date);
      if (after) after.before(section);
      else if (newer && !days.querySelector(".day")) days.prepend(section);
      else (days.querySelector(".older") ?? null) ? days.querySelector(".older").before(section) : days.append(section);
      continue;
    }
    const list = known.querySelector("ol");
    for (const event of fresh) {
      const position = Number(event.dataset.position);
      const after = [...list.children].find((e) => Number(e.dataset.position) < position);
      if (after) after.before(event);
      else list.append(event);
    }
  }
  if (added.length) days.querySelector(":scope > .nothing")?.remove();
  return added;
}

function put(kind, link, fragment) {
  const next = fragment.querySelector(`a[data-more="${kind}"]`);
  let added = [];
  if (kind === "events" || kind === "newer") {
    added = mergeDays(link.parentElement, fragment.querySelectorAll(".day"), false);
  } else if (kind === "rows") {
    const body = link.closest("form").querySelector("tbody");
    const known = new Set([...body.querySelectorAll("[name=id]")].map((box) => box.value));
    added = [...fragment.querySelectorAll("tr")].filter((row) => !known.has(row.querySelector("[name=id]")?.value));
    body.append(...added);
  } else {
    added = [...fragment.querySelectorAll("tbody")];
    link.closest("section, main").querySelector("table.log").append(...added);
  }
  for (const node of added) arrived(node);
  if (next) {
    link.replaceWith(next);
    watch(next);
  } else link.remove();
}

async function follow(link) {
  if (link.dataset.busy) return;
  link.dataset.busy = "1";
  const text = link.textContent;
  link.textContent = word("loading");
  const kind = link.dataset.more;
  const { ok, fragment } = await part(link.href, parts[kind]);
  if (ok) return put(kind, link, fragment);
  delete link.dataset.busy;
  link.textContent = text;
}

const near = new IntersectionObserver(
  (entries) => {
    for (const entry of entries)
      if (entry.isIntersecting) {
        near.unobserve(entry.target);
        follow(entry.target);
      }
  },
  { rootMargin: "600px 0px" },
);

// Inside a scrolled box the footer with the link is always in view: there the box is watched.
function watch(link) {
  const box = link.closest(".sheet")?.querySelector(".scroll");
  if (!box || getComputedStyle(box).overflowY !== "auto" || box.scrollHeight <= box.clientHeight + 1) {
    if (link.dataset.more === "events") near.observe(link);
    return;
  }
  const onScroll = () => {
    if (!link.isConnected) return box.removeEventListener("scroll", onScroll);
    if (box.scrollTop + box.clientHeight > box.scrollHeight - 500) {
      box.removeEventListener("scroll", onScroll);
      follow(link);
    }
  };
  box.addEventListener("scroll", onScroll, { passive: true });
}

// The change log: how many events each choice of a filter would find, and how many there are. Choices keep their place: one of the
// lists may be open by now.
async function counts(link) {
  const { ok, fragment } = await part(link.href, "log-counts");
  if (!ok) return;
  for (const counted of fragment.querySelectorAll("select")) {
    const select = document.getElementById(counted.id);
    for (const option of counted.options) {
      const here = [...(select?.options ?? [])].find((o) => o.value === option.value);
      if (here) here.textContent = option.textContent;
    }
  }
  link.replaceWith(fragment.querySelector("[data-total]") ?? "");
}

export function startMore(root) {
  for (const link of root.querySelectorAll("a[data-counts]")) counts(link);
  for (const link of root.querySelectorAll("a[data-more]")) watch(link);
  for (const place of root.querySelectorAll("[data-count]"))
    part(place.dataset.count, "list-count").then(({ ok, fragment }) => {
      if (ok) place.replaceChildren(" ", fragment);
    });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-more]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  follow(link);
});
