// Ways as a picture: the rows of a table (before, after, how many, at which step) as bands between columns; rows of step 0 say how
// many were where first, also of those that went nowhere from there. The table stays for whoever reads rather than looks; colours
// come from the style sheet, by the name's number.
import { sankey, sankeyLinkHorizontal, sankeyLeft } from "d3-sankey";

const SVG = "http://www.w3.org/2000/svg";
const COLORS = 8;
const LETTER = 7; // pixels, about

function element(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

// A value at a step is a node of its own: what comes back is drawn further on.
function read(table) {
  const nodes = new Map(), links = [], colors = new Map();
  const node = (step, label) => {
    const id = `${step} ${label}`;
    if (!colors.has(label)) colors.set(label, colors.size % COLORS);
    if (!nodes.has(id)) nodes.set(id, { id, label, step, color: colors.get(label) });
    return id;
  };
  for (const row of table.querySelectorAll("tbody tr")) {
    const step = Number(row.dataset.step), value = Number(row.dataset.count), target = node(step, row.cells[2].textContent);
    Object.assign(nodes.get(target), { href: row.dataset.stays });
    if (step === 0) nodes.get(target).fixedValue = value;
    else links.push({ source: node(step - 1, row.cells[1].textContent), target, value, text: row.cells[3].textContent,
      href: row.querySelector("a")?.getAttribute("href") });
  }
  return { nodes: [...nodes.values()], links };
}

function draw(place, table) {
  const graph = read(table);
  if (!graph.links.length) return false;
  const columns = Math.max(...graph.nodes.map((node) => node.step)) + 1;
  const longest = Math.max(...graph.nodes.map((node) => node.label.length));
  const column = Math.max(90, Math.min(220, 30 + LETTER * longest)); // so wide that a name ends before the next column
  const width = Math.max(place.clientWidth - 32, columns * column);
  const tallest = Math.max(...Array.from({ length: columns }, (_, step) => graph.nodes.filter((node) => node.step === step).length));
  const height = Math.max(200, tallest * 44);
  sankey().nodeId((node) => node.id).nodeAlign(sankeyLeft).nodeWidth(10).nodePadding(16).extent([[1, 8], [width - column, height - 8]])(graph);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
  svg.setAttribute("aria-hidden", "true");
  const path = sankeyLinkHorizontal();
  // Who walks by keyboard finds the same in the table.
  const inside = (href) => (href ? element("a", { href, tabindex: -1 }, svg) : svg);
  for (const link of graph.links) {
    const band = element("path", { d: path(link), "stroke-width": Math.max(1, link.width), class: `way k${link.source.color}` }, inside(link.href));
    element("title", {}, band).textContent = `${link.source.label} → ${link.target.label}: ${link.text}`;
  }
  for (const node of graph.nodes) {
    const box = element("rect", { x: node.x0, y: node.y0, width: node.x1 - node.x0, height: Math.max(1, node.y1 - node.y0), rx: 2,
      class: `stop k${node.color}` }, inside(node.href));
    element("title", {}, box).textContent = `${node.label}: ${node.value}`;
    element("text", { x: node.x1 + 6, y: (node.y0 + node.y1) / 2, dy: "0.35em" }, svg).textContent = node.label;
  }
  place.replaceChildren(svg);
  return true;
}

export function startSankey(root) {
  for (const place of root.querySelectorAll("[data-sankey]")) {
    const table = document.getElementById(place.dataset.sankey);
    place.hidden = false;
    if (!table || !draw(place, table)) {
      place.hidden = true;
      continue;
    }
    let width = place.clientWidth;
    new ResizeObserver(() => {
      if (place.clientWidth === width) return;
      width = place.clientWidth;
      draw(place, table);
    }).observe(place);
  }
}
