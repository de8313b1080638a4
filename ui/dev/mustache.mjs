// A small mustache for looking at templates without the server: the parts of the language that the templates use, with
// {{#t}} and {{#tn}}, and a report of names that no document gives. The real engine is src/formats/mustache.h.

const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
export const escapeHtml = (text) => text.replace(/[&<>"']/g, (c) => escapes[c]);

function tokens(source) {
  const list = [];
  const tag = /\{\{\{\s*([^}]+?)\s*\}\}\}|\{\{\s*([#^/>!&]?)\s*([\s\S]*?)\s*\}\}/g;
  let last = 0;
  for (let m; (m = tag.exec(source)); ) {
    const kind = m[1] ? "&" : m[2];
    let from = m.index;
    let to = tag.lastIndex;
    if (/[#^/>!]/.test(kind)) {
      const lineStart = source.lastIndexOf("\n", from - 1) + 1;
      const lineEnd = source.indexOf("\n", to) < 0 ? source.length : source.indexOf("\n", to);
      if (!source.slice(lineStart, from).trim() && !source.slice(to, lineEnd).trim() && lineStart >= last) {
        from = lineStart;
        to = Math.min(lineEnd + 1, source.length);
      }
    }
    if (from > last) list.push({ text: source.slice(last, from) });
    list.push({ kind, name: m[1] ?? m[3], from: m.index, end: tag.lastIndex, raw: m[0] });
    last = to;
    tag.lastIndex = Math.max(to, tag.lastIndex);
  }
  if (last < source.length) list.push({ text: source.slice(last) });
  return list;
}

export function compile(source, file) {
  const list = tokens(source);
  let at = 0;
  const block = (closing) => {
    const nodes = [];
    for (; at < list.length; at++) {
      const token = list[at];
      if (token.text !== undefined) nodes.push({ kind: "text", text: token.text });
      else if (token.kind === "/") {
        if (token.name !== closing) throw new Error(`${file}: {{/${token.name}}} closes ${closing ?? "nothing"}`);
        return nodes;
      } else if (token.kind === "#" && /^(t|tn\s.*)$/.test(token.name)) {
        const close = token.name === "t" ? "{{/t}}" : "{{/tn}}";
        const until = source.indexOf(close, token.end);
        if (until < 0) throw new Error(`${file}: ${token.name} is not closed`);
        nodes.push({ kind: "message", text: source.slice(token.end, until).trim().replace(/\s+/g, " "), count: token.name.slice(2).trim() });
        while (!(list[at].kind === "/" && list[at].from === until)) at++;
      } else if (token.kind === "#" || token.kind === "^") {
        at++;
        nodes.push({ kind: token.kind, name: token.name, nodes: block(token.name) });
      } else if (token.kind !== "!") nodes.push({ kind: token.kind || "v", name: token.name });
    }
    if (closing) throw new Error(`${file}: ${closing} is not closed`);
    return nodes;
  };
  return { nodes: block(), file };
}

const falsy = (v) => v === undefined || v === null || v === false || v === "" || (Array.isArray(v) && v.length === 0);

export function render(templates, name, data, catalogue, report) {
  const lookup = (stack, path, file) => {
    if (path === ".") return stack.at(-1);
    const [first, ...rest] = path.split(".");
    for (let i = stack.length - 1; i >= 0; i--) {
      const context = stack[i];
      if (context === null || typeof context !== "object" || !(first in context)) continue;
      let value = context[first];
      for (const key of rest) value = value === null || typeof value !== "object" ? undefined : value[key];
      return value;
    }
    report?.(path, file);
    return undefined;
  };
  const text = (value) => (falsy(value) && value !== "" && value !== false ? "" : typeof value === "object" ? "" : String(value));
  const message = (node, stack, file) => {
    let chosen;
    if (node.count) {
      const [one, many] = node.text.split("|").map((s) => s.trim());
      chosen = catalogue.plural(one, many, lookup(stack, node.count, file));
    } else chosen = catalogue.text(node.text);
    return chosen
      .split(/(\{\{.*?\}\})/)
      .map((part) => escapeHtml(part.startsWith("{{") ? text(lookup(stack, part.replace(/[{}&\s]/g, ""), file)) : part))
      .join("");
  };
  const walk = (nodes, stack, file) => {
    let page = "";
    for (const node of nodes) {
      if (node.kind === "text") page += node.text;
      else if (node.kind === "message") page += message(node, stack, file);
      else if (node.kind === "v") page += escapeHtml(text(lookup(stack, node.name, file)));
      else if (node.kind === "&") throw new Error(`${file}: {{{${node.name}}}} is not escaped`);
      else if (node.kind === ">") {
        if (!templates[node.name]) throw new Error(`${file}: there is no partial ${node.name}`);
        page += walk(templates[node.name].nodes, stack, templates[node.name].file);
      } else {
        const value = lookup(stack, node.name, file);
        if (node.kind === "^") page += falsy(value) ? walk(node.nodes, stack, file) : "";
        else if (Array.isArray(value)) for (const item of value) page += walk(node.nodes, [...stack, item], file);
        else if (!falsy(value)) page += walk(node.nodes, [...stack, value], file);
      }
    }
    return page;
  };
  return walk(templates[name].nodes, [data], templates[name].file);
}
