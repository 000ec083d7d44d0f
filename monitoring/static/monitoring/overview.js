// Draws the charts of the overview from their tables, and asks each ten seconds for what has changed, while it is seen.
"use strict";

const EVERY = 10000;
const HIGH = 160;
const now = document.getElementById("now");
let plots = [];
let tag = "";

function inWords(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "percent") return `${Number(value.toFixed(1))} %`;
  if (unit === "runs") return value.toLocaleString("en");
  for (const [size, word] of [[3600, "h"], [60, "min"]]) if (value >= 2 * size) return `${Number((value / size).toPrecision(2))} ${word}`;
  return `${Number(value.toPrecision(2))} s`;
}

function valuesOf(figure) {
  const rows = [...figure.querySelectorAll("tbody tr")];
  const times = rows.map((row) => Number(row.querySelector("[data-at]").dataset.at));
  const cells = rows.map((row) => [...row.querySelectorAll("[data-value]")].map((one) => (one.dataset.value === "" ? null : Number(one.dataset.value))));
  return [times, ...(cells[0] ?? []).map((_, line) => cells.map((row) => row[line]))];
}

function keysOf(figure, names, colours, unit) {
  const keys = document.createElement("div");
  keys.className = "keys";
  keys.setAttribute("aria-hidden", "true");
  const words = names.map((name, line) => {
    const key = document.createElement("span");
    key.className = `k-${line}`;
    const sign = document.createElement("i");
    sign.style.setProperty("--of", colours[line]);
    const word = document.createElement("span");
    key.append(sign, word);
    keys.append(key);
    return word;
  });
  const at = document.createElement("span");
  keys.append(at);
  return [keys, (plot) => {
    const place = plot?.cursor.idx ?? null;
    names.forEach((name, line) => (words[line].textContent = place === null ? name : `${name}: ${inWords(plot.data[line + 1][place], unit)}`));
    at.textContent = place === null ? "" : new Date(plot.data[0][place] * 1000).toISOString().slice(0, 16).replace("T", " ");
  }];
}

function alone(plot, line, all) {
  const values = plot.data[line];
  const isAlone = (value, at) => value !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null;
  return all ? null : values.flatMap((value, at) => (isAlone(value, at) ? [at] : []));
}

function draw(figure) {
  const place = figure.querySelector(".plot");
  place.replaceChildren();
  if ("empty" in place.dataset) {
    const nothing = document.createElement("p");
    nothing.className = "nothing";
    nothing.textContent = "Nothing to show for this time.";
    place.append(nothing);
    return;
  }
  const style = getComputedStyle(figure);
  const colour = (name) => style.getPropertyValue(name).trim();
  const names = [...figure.querySelectorAll("[data-line]")].map((one) => one.textContent);
  const colours = names.map((_, line) => colour(`--line-${Math.min(line, 1)}`));
  const unit = figure.dataset.unit;
  const [keys, tell] = keysOf(figure, names, colours, unit);
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "11px sans-serif" };
  const height = (_, least, most) => [0, Math.max(most ?? 0, unit === "percent" ? 1 : 1e-3) * 1.1];
  const plot = new uPlot({
    width: place.clientWidth || figure.clientWidth - 30, height: HIGH, tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
    legend: { show: false }, cursor: { drag: { x: false, y: false }, y: false }, scales: { y: { range: height } },
    axes: [{ ...axis, size: 26, space: 60, values: times(figure) }, { ...axis, size: 62, values: (_, marks) => marks.map((mark) => inWords(mark, unit)) }],
    series: [{}, ...names.map((name, line) => ({ label: name, stroke: colours[line], width: 2, dash: line === 1 ? [6, 4] : undefined, points: { size: 6, fill: colours[line], filter: alone }, spanGaps: false }))],
    hooks: { setCursor: [tell] },
  }, valuesOf(figure), place);
  place.append(keys);
  tell(null);
  plots.push([plot, place]);
}

function times(figure) {
  const rows = figure.querySelectorAll("[data-at]");
  const whole = rows.length > 1 ? Number(rows[rows.length - 1].dataset.at) - Number(rows[0].dataset.at) : 0;
  return (_, marks) => marks.map((mark) => new Date(mark * 1000).toISOString().slice(...(whole > 2 * 86400 ? [5, 10] : [11, 16])));
}

function drawAll() {
  plots.forEach(([plot]) => plot.destroy());
  plots = [];
  document.querySelectorAll("#now .course").forEach(draw);
}

function put(text) {
  const open = [...now.querySelectorAll("details[open]")].map((one) => one.id);
  const scrolled = [...now.querySelectorAll(".scroll")].map((one) => one.scrollTop);
  const focus = now.contains(document.activeElement) ? document.activeElement : null;
  const fresh = new DOMParser().parseFromString(text, "text/html");
  now.replaceChildren(...[...fresh.body.childNodes].map((one) => document.importNode(one, true)));
  open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
  now.querySelectorAll(".scroll").forEach((one, at) => (one.scrollTop = scrolled[at] ?? 0));
  if (focus) [...now.querySelectorAll("a, summary, .scroll")].find((one) => one.outerHTML.slice(0, 200) === focus.outerHTML.slice(0, 200))?.focus();
  drawAll();
}

async function look() {
  if (document.visibilityState === "visible" && document.getSelection().isCollapsed) {
    const answer = await fetch(now.dataset.from, { redirect: "error", cache: "no-store", headers: tag ? { "If-None-Match": tag } : {} });
    if (answer.ok) {
      tag = answer.headers.get("ETag") ?? "";
      put(await answer.text());
    }
  }
}

function again() {
  setTimeout(() => look().catch(() => {}).finally(again), EVERY);
}

new MutationObserver(drawAll).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
new ResizeObserver(() => plots.forEach(([plot, place]) => plot.setSize({ width: place.clientWidth, height: HIGH }))).observe(now);
document.addEventListener("visibilitychange", () => look().catch(() => {}));
drawAll();
again();
