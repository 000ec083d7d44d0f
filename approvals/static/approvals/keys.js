// Keys for whoever decides much. A key chooses or leads somewhere; only the form's own button sends a decision.
"use strict";

function isTyping(target) {
  return target.isContentEditable || ["TEXTAREA", "SELECT"].includes(target.tagName) ||
    (target.tagName === "INPUT" && !["radio", "checkbox"].includes(target.type));
}

function choose(key) {
  const choice = document.querySelector(`#decide input[data-key="${key}"]`);
  if (!choice) return;
  choice.closest("details")?.setAttribute("open", "");
  choice.checked = true;
  const form = choice.form;
  const needed = form.querySelector(`label[for="comment"] .for-${choice.value}`);
  (needed ? form.querySelector("#comment") : form.querySelector("button[type=submit]")).focus();
}

function unchoose() {
  const chosen = document.querySelector("#decide input[name=choice]:checked");
  if (chosen) chosen.checked = false;
}

const KEYS = {
  Escape: unchoose,
  a: () => choose("a"),
  r: () => choose("r"),
  c: () => choose("c"),
  n: () => document.querySelector("a[data-next]")?.click(),
  "/": () => {
    const field = document.querySelector("[data-search]");
    if (field) field.focus();
    else document.querySelector("a[data-inbox]")?.click();
  },
  "?": () => document.querySelector("dialog.keys")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing;
  if (!plain || isTyping(event.target) || document.querySelector("dialog[open]") || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-help]")) KEYS["?"]();
});

// A choice that is pressed again is taken back, and the sheet on a phone closes with it.
let before = null;
document.addEventListener("pointerdown", (event) => {
  const label = event.target.closest("#decide label");
  before = label?.querySelector("input[name=choice]:checked") ?? null;
});
document.addEventListener("click", (event) => {
  if (before && event.target === before) unchoose();
});

// The inbox: how many are selected, and all of them at once.
const picks = [...document.querySelectorAll("input[name=pick][type=checkbox]")];
const all = document.querySelector("[data-pick-all]");
if (all && picks.length > 1) {
  const tell = () => {
    const number = picks.filter((pick) => pick.checked).length;
    document.querySelector("[data-picked]").textContent = `(${number})`;
    all.checked = number === picks.length;
    all.indeterminate = number > 0 && !all.checked;
  };
  all.closest("label").hidden = false;
  all.addEventListener("change", () => { picks.forEach((pick) => { pick.checked = all.checked; }); tell(); });
  picks.forEach((pick) => pick.addEventListener("change", tell));
  tell();
}
