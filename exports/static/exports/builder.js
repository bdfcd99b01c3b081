// The export builder: its lists of columns, messages at controls, and copying. The server renders
// everything else; htmx fetches the preview and the parts of the form that change their shape.

const form = document.getElementById("builder");

// Settle at once: input between the swap of a part and its settling would be lost.
htmx.config.defaultSettleDelay = 0;

// --- Columns ------------------------------------------------------------------------------------

const chosen = () => document.getElementById("xb-chosen");
const isColumn = (row) => row.matches("li[data-path]:not(#xb-column-template)");

// From now on the form names its columns; before, the file has the default ones.
function columnsChanged() {
  form.elements.columns.value = "chosen";
  document.getElementById("xb-default").removeAttribute("aria-pressed");
  document.getElementById("xb-column-count").textContent = [...chosen().children].filter(isColumn).length;
  form.dispatchEvent(new CustomEvent("builder-changed"));
}

function offer(path, isOffered) {
  const button = document.querySelector(`[data-add="${CSS.escape(path)}"]`);
  if (button) button.closest("li").hidden = !isOffered;
}

function add(button) {
  const path = button.dataset.add;
  const template = document.getElementById("xb-column-template");
  const row = template.cloneNode(true);
  row.removeAttribute("id");
  row.setAttribute("x-sort:item", "");
  row.dataset.place = `column:${path}`;
  for (const element of [row, ...row.querySelectorAll("*")]) {
    for (const attribute of element.attributes) {
      attribute.value = attribute.value.replaceAll("__path__", path);
    }
  }
  row.querySelector(".xb-path").textContent = path;
  for (const input of row.querySelectorAll("input")) input.disabled = false;
  // The next column to add gets the focus.
  const rest = [...document.querySelectorAll("[data-add]")].filter((each) => each.offsetParent);
  const next = rest[rest.indexOf(button) + 1] ?? rest[rest.indexOf(button) - 1];
  row.hidden = false;
  chosen().insertBefore(row, template);
  offer(path, false);
  (next ?? document.getElementById("xb-search")).focus();
  row.scrollIntoView({ block: "nearest" });
  columnsChanged();
}

function remove(row) {
  const next = [row.nextElementSibling, row.previousElementSibling].find((each) => each && isColumn(each));
  row.remove();
  offer(row.dataset.path, true);
  (next?.querySelector("[data-remove]") ?? document.getElementById("xb-search")).focus();
  columnsChanged();
}

function move(row, button) {
  const isUp = button.dataset.move === "up";
  const other = isUp ? row.previousElementSibling : row.nextElementSibling;
  if (!other || !isColumn(other)) return;
  if (isUp) other.before(row);
  else other.after(row);
  button.focus();
  row.scrollIntoView({ block: "nearest" });
  columnsChanged();
}

// Shows the columns whose name contains the text, of those that are not in the file.
function search() {
  const text = document.getElementById("xb-search").value.trim().toLowerCase();
  let found = 0;
  for (const group of document.querySelectorAll("#xb-offered .xb-group")) {
    let inGroup = 0;
    for (const button of group.querySelectorAll("[data-add]")) {
      const matches = button.dataset.add.toLowerCase().includes(text);
      button.classList.toggle("xb-filtered", !matches);
      if (matches && !button.closest("li").hidden) inGroup += 1;
    }
    group.classList.toggle("xb-filtered", inGroup === 0);
    found += inGroup;
  }
  document.getElementById("xb-not-found").textContent = found ? "" : "No other column has this name.";
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.add) add(button);
  else if (button.dataset.move) move(button.closest("li"), button);
  else if ("remove" in button.dataset) remove(button.closest("li"));
  else if ("removeRow" in button.dataset) removeRow(button.closest("li"));
  else if (button.dataset.copy) copy(button.dataset.copy);
});

form.addEventListener("input", (event) => {
  if (event.target.id === "xb-search") search();
  // A header belongs to a named column.
  if (event.target.name === "header") form.elements.columns.value = "chosen";
});

// Drag and drop: Alpine's `x-sort` has moved the row.
form.addEventListener("builder-changed", (event) => {
  if (event.target.id === "xb-chosen") columnsChanged();
});

form.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("input:not([type=checkbox])")) return;
  // Enter in a control must not run the export. In the search it adds the first column found.
  event.preventDefault();
  if (event.target.id !== "xb-search") return;
  const first = [...document.querySelectorAll("[data-add]")].find((each) => each.offsetParent);
  if (first && event.target.value) {
    add(first);
    event.target.focus();
    event.target.select();
  }
});

function removeRow(row) {
  const next = row.nextElementSibling ?? row.previousElementSibling;
  const target = next?.querySelector("select") ?? row.closest(".xb-card").querySelector("button");
  row.remove();
  target.focus();
  form.dispatchEvent(new CustomEvent("builder-changed"));
}

// --- Messages -----------------------------------------------------------------------------------

// Shows the problems of the preview at their controls, and nothing at the others.
function placeProblems() {
  for (const error of form.querySelectorAll("[data-error]")) error.textContent = "";
  for (const control of form.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
  for (const problem of form.querySelectorAll("[data-problems] li")) {
    const place = form.querySelector(`[data-place="${CSS.escape(problem.dataset.for)}"]`);
    if (!place) continue;
    let error = place.querySelector(":scope > [data-error]");
    if (!error) {
      error = document.createElement("p");
      error.className = "xb-error";
      error.dataset.error = "";
      place.append(error);
    }
    error.textContent += `${error.textContent ? " " : ""}${problem.textContent}`;
    for (const control of place.querySelectorAll("input:not([type=hidden]), select, textarea")) {
      if (control.closest("[data-place]") === place) control.setAttribute("aria-invalid", "true");
    }
  }
}

// --- Preview ------------------------------------------------------------------------------------

let previewed = "";
// Controls of presets, which change nothing in the preview.
const NOT_PREVIEWED = ["saved_preset", "preset_name", "preset_shared"];

// An `input` event and the later `change` event of one control need one preview.
form.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target.id !== "xb-result") return;
  const data = new FormData(form);
  for (const name of NOT_PREVIEWED) data.delete(name);
  const state = new URLSearchParams(data).toString();
  if (state === previewed) event.preventDefault();
  previewed = state;
});

for (const name of ["htmx:responseError", "htmx:sendError"]) {
  form.addEventListener(name, ({ detail: { target, xhr } }) => {
    previewed = "";
    const isPreview = target.id === "xb-result";
    const what = isPreview ? "The preview was not loaded" : "The form was not updated";
    // Reloading the page would lose the input.
    const advice = xhr.status === 401 ? "Sign in in another tab, then try again" : "Try again, or reload the page";
    document.getElementById("xb-failed").textContent = `${what}. ${advice}.`;
  });
}

// --- Parts of the form that the server renders anew ----------------------------------------------

// What the controls of a part contained when its request was sent, by request.
const sent = new WeakMap();
// What a person has entered since then, by request: key of the control and its state.
const entered = new WeakMap();

const isTick = (control) => control.matches("[type=checkbox], [type=radio]");
const stateOf = (control) => (isTick(control) ? control.checked : control.value);

// The controls of a part, each by a key that the same control has in the response: the column or
// filter that it belongs to, its name, and its value or its position among those of the same name.
function controlsOf(part) {
  const controls = new Map();
  for (const control of part.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    const start = [control.closest("[data-place]")?.dataset.place, control.name, isTick(control) && control.value];
    let position = 0;
    while (controls.has(JSON.stringify([...start, position]))) position += 1;
    controls.set(JSON.stringify([...start, position]), control);
  }
  return controls;
}

const statesOf = (part) => new Map([...controlsOf(part)].map(([key, control]) => [key, stateOf(control)]));

function enter(control, state) {
  if (isTick(control)) {
    control.checked = state;
  } else if (!control.matches("select")) {
    control.value = state;
  } else if ([...control.options].some((option) => option.value === state)) {
    control.value = state;
    // The choice was not sent: its request was dropped with the replaced part.
    control.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

form.addEventListener("htmx:beforeRequest", ({ detail: { target, xhr } }) => {
  if (target.closest(".xb-form")) sent.set(xhr, statesOf(target));
});

form.addEventListener("htmx:beforeSwap", ({ detail: { target, xhr } }) => {
  const before = sent.get(xhr);
  if (!before) return;
  entered.set(xhr, [...statesOf(target)].filter(([key, state]) => before.get(key) !== state));
});

// htmx reports each new element, also those that a preview replaces inside the form.
form.addEventListener("htmx:afterSettle", ({ target, detail: { target: part, xhr } }) => {
  if (target.closest("#xb-result")) {
    placeProblems();
    return;
  }
  // Once for each request of a part.
  if (!sent.delete(xhr)) return;
  const controls = controlsOf(document.getElementById(part.id) ?? target);
  for (const [key, state] of entered.get(xhr)) {
    if (controls.has(key)) enter(controls.get(key), state);
  }
  initialize();
  form.dispatchEvent(new CustomEvent("builder-changed"));
});

// --- Copying ------------------------------------------------------------------------------------

async function copy(id) {
  const source = document.getElementById(id);
  const status = document.getElementById("xb-copied");
  try {
    await navigator.clipboard.writeText(source.textContent);
    status.textContent = "Copied.";
  } catch {
    // Browsers allow the clipboard on HTTPS and localhost only.
    getSelection().selectAllChildren(source);
    status.textContent = "Press Ctrl+C to copy the selected text.";
  }
}

// --- The control of the organization ------------------------------------------------------------

// select2 reports a choice by jQuery events only.
function initialize() {
  const { jQuery } = window.django;
  const select = jQuery("#id_organization");
  if (!select.hasClass("select2-hidden-accessible")) select.djangoCustomSelect2();
  select.off("select2:select.builder select2:clear.builder");
  select.on("select2:select.builder select2:clear.builder", (event) => {
    event.target.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

initialize();
placeProblems();
if ("refused" in form.dataset) {
  form.querySelector("[aria-invalid]")?.focus();
}
