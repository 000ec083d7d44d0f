// Keeps the page of a project that goes on up to date: its state by asking again, its agents' lines by a stream.
"use strict";

const EVERY = 3000;
const LONGEST = 1000;
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;
const KEPT = "\n\t\u200c\u200d";
const now = document.getElementById("now");
const output = document.getElementById("output");
let tag = "";
let stream = null;

function visible(text) {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length.toLocaleString("en")} characters)` : text;
  return cut.replace(HIDDEN, (one) => (KEPT.includes(one) ? one : `\\u${one.codePointAt(0).toString(16).padStart(4, "0")}`));
}

function linesOf(task) {
  const found = [...output.querySelectorAll("[data-task]")].find((one) => one.dataset.task === task);
  if (found) return found;
  const agent = document.getElementById("agent").content.cloneNode(true);
  const list = agent.querySelector("ol");
  agent.querySelector("details").id = `out-${task}`;
  agent.querySelector("b").textContent = task;
  list.dataset.task = task;
  list.setAttribute("aria-label", `Output of ${task}`);
  output.querySelector(".agents").append(agent);
  document.getElementById("silent").hidden = true;
  return list;
}

function add(line) {
  const list = linesOf(line.task_id);
  const item = document.getElementById("line").content.cloneNode(true);
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 8;
  item.querySelector("time").textContent = line.at.slice(11, 19);
  item.querySelector("b").textContent = line.level;
  item.querySelector("b").className = `l-${line.level.toLowerCase()}`;
  item.querySelector("i").textContent = `${visible(line.endpoint ?? "")}${line.session ? `#${line.session}` : ""}`;
  item.querySelector("span").textContent = visible(line.message);
  list.append(item);
  while (list.children.length > Number(output.dataset.most)) list.firstElementChild.remove();
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}

function listen() {
  stream = new EventSource(`${output.dataset.stream}?after=${output.dataset.after}`);
  stream.addEventListener("line", (event) => add(JSON.parse(event.data)));
  for (const end of ["end", "refused"]) stream.addEventListener(end, () => stream.close());
}

function put(tree) {
  const open = [...now.querySelectorAll("details[open]")].map((one) => one.id);
  const places = [...now.querySelectorAll(".scroll")].map((one) => [one.scrollLeft, one.scrollTop]);
  const focus = now.contains(document.activeElement) ? document.activeElement.outerHTML.slice(0, 200) : "";
  now.replaceChildren(...[...tree.childNodes].map((one) => document.importNode(one, true)));
  open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
  now.querySelectorAll(".scroll").forEach((one, at) => one.scrollTo(...(places[at] ?? [0, 0])));
  if (focus) [...now.querySelectorAll("a, summary, .scroll")].find((one) => one.outerHTML.slice(0, 200) === focus)?.focus();
}

async function lookAtOutput() {
  if (stream.readyState !== EventSource.CLOSED) return;
  const answer = await fetch(location.href, { redirect: "error" });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#output .agents");
  if (answer.ok && fresh) output.querySelector(".agents").replaceWith(document.importNode(fresh, true));
}

async function look() {
  if (document.visibilityState !== "visible" || !document.getSelection().isCollapsed) return;
  const answer = await fetch(now.dataset.from, { redirect: "error", cache: "no-store", headers: tag ? { "If-None-Match": tag } : {} });
  if (answer.ok) {
    tag = answer.headers.get("ETag") ?? "";
    put(new DOMParser().parseFromString(await answer.text(), "text/html").body);
  }
  await lookAtOutput();
}

function again() {
  if (now.querySelector("[data-ended]")) return;
  setTimeout(() => look().catch(() => {}).finally(again), EVERY);
}

output.querySelectorAll(".lines").forEach((one) => (one.scrollTop = one.scrollHeight));
listen();
again();
