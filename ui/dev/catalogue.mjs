// Reads a .po file; a missing one is English.
import { existsSync, readFileSync } from "node:fs";

export function readCatalogue(path) {
  const texts = new Map();
  let plural = (n) => (n === 1 ? 0 : 1);
  if (existsSync(path))
    for (const block of readFileSync(path, "utf8").split(/\n\n+/)) {
      if (/^#~/m.test(block)) continue;
      const entry = {};
      let key = null;
      for (const line of block.split("\n")) {
        const m = /^(msgid|msgid_plural|msgstr(?:\[\d\])?) (".*")$/.exec(line);
        if (m) entry[(key = m[1])] = JSON.parse(m[2]);
        else if (line.startsWith('"') && key) entry[key] += JSON.parse(line);
      }
      if (entry.msgid === "") {
        const rule = /plural=([^;]+);/.exec(entry.msgstr)?.[1];
        if (rule && /^[n\d\s()?:%=!<>&|]+$/.test(rule)) plural = new Function("n", `return Number(${rule})`);
      } else if (entry.msgid !== undefined) {
        texts.set(entry.msgid, entry.msgid_plural === undefined ? [entry.msgstr] : Object.keys(entry).filter((k) => k.startsWith("msgstr[")).map((k) => entry[k]));
      }
    }
  return {
    text: (id) => texts.get(id)?.[0] || id,
    plural: (one, many, n) => texts.get(one)?.[plural(n)] || (n === 1 ? one : many),
  };
}
