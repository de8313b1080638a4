// Keeps "3 minutes ago" true. The server's text stands for what is older than six days.
const format = new Intl.RelativeTimeFormat(document.documentElement.lang || undefined, { numeric: "auto", style: "short" });
const steps = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

function refresh(time) {
  const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
  if (!Number.isFinite(seconds) || Math.abs(seconds) > 6 * 86400) return;
  const [unit, size] = steps.find(([, s]) => Math.abs(seconds) >= s) ?? ["second", 1];
  const text = unit === "second" ? format.format(0, "second") : format.format(Math.trunc(seconds / size), unit);
  if (time.textContent !== text) time.textContent = text;
}

export function startTimes(root) {
  for (const time of root.querySelectorAll("time.ago")) refresh(time);
}

setInterval(() => document.hidden || startTimes(document), 30000);
