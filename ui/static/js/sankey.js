// Ways as a picture: the rows of a table (before, after, how many, at which step) as bands between columns. The table stays for
// whoever reads rather than looks; colours come from the style sheet, by the name's number.
import { sankey, sankeyLinkHorizontal, sankeyLeft } from "d3-sankey";

const SVG = "http://www.w3.org/2000/svg";
const COLORS = 8;

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
    const step = Number(row.dataset.step);
    links.push({
      source: node(step, row.cells[1].textContent),
      target: node(step + 1, row.cells[2].textContent),
      value: Number(row.dataset.count),
      text: row.cells[3].textContent,
    });
  }
  return { nodes: [...nodes.values()], links };
}

function draw(place, table) {
  const graph = read(table);
  const width = Math.max(place.clientWidth, 640);
  if (!graph.links.length) return false;
  const tallest = Math.max(...[1, 2, 3, 4, 5, 6, 7].map((step) => graph.nodes.filter((node) => node.step === step).length));
  const height = Math.max(200, tallest * 44);
  sankey().nodeId((node) => node.id).nodeAlign(sankeyLeft).nodeWidth(10).nodePadding(16).extent([[1, 8], [width - 150, height - 8]])(graph);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("width", width);
  svg.setAttribute("height", height);
  svg.setAttribute("aria-hidden", "true");
  const path = sankeyLinkHorizontal();
  for (const link of graph.links) {
    const band = element("path", { d: path(link), "stroke-width": Math.max(1, link.width), class: `way k${link.source.color}` }, svg);
    element("title", {}, band).textContent = `${link.source.label} → ${link.target.label}: ${link.text}`;
  }
  for (const node of graph.nodes) {
    const box = element("rect", { x: node.x0, y: node.y0, width: node.x1 - node.x0, height: Math.max(1, node.y1 - node.y0), rx: 2,
      class: `stop k${node.color}` }, svg);
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
