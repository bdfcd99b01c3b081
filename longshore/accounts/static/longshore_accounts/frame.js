// Makes Unfold's pages usable by keyboard and screen reader, whatever Alpine.js and htmx add later.
// Sends each form once, and says why a request of a script failed.

// Names of buttons that consist of an icon.
const NAMES = {
  add: "Add",
  anchor: "Home",
  arrow_back: "Back",
  close: "Close",
  computer: "Theme",
  dark_mode: "Theme",
  delete: "Delete",
  dock_to_right: "Show or hide the navigation",
  edit: "Change",
  expand_more: "Show more",
  keyboard_arrow_down: "Show more",
  light_mode: "Theme",
  more_horiz: "More actions",
  more_vert: "More actions",
  search: "Search",
  visibility: "View",
};
const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";

// Without the icons, whose text is the name of a glyph.
function visibleText(element) {
  const copy = element.cloneNode(true);
  for (const icon of copy.querySelectorAll(".material-symbols-outlined")) icon.remove();
  if (copy.classList.contains("material-symbols-outlined")) return "";
  return copy.textContent.trim();
}

function nameOf(element) {
  const icon = element.closest(".material-symbols-outlined")
    || element.querySelector(".material-symbols-outlined");
  return (icon && NAMES[icon.textContent.trim()]) || "";
}

function nameControl(element) {
  if (element.ariaLabel || element.title || visibleText(element)) return;
  const name = nameOf(element);
  if (name) element.ariaLabel = name;
}

// The cell that opens a row of a list: its icon is the button, so that the cell stays a cell.
function makeOpener(cell) {
  const icon = cell.querySelector(".material-symbols-outlined");
  icon.role = "button";
  icon.tabIndex = 0;
  icon.dataset.keyboard = "";
  // Alpine.js turns the icon at once, and hides the row a frame later.
  icon.ariaExpanded = String(icon.classList.contains("rotate-0"));
}

function makeButton(element) {
  if (element.matches("td")) return makeOpener(element);
  // A button must not contain other controls, and backgrounds of dialogs only close them.
  if (element.matches(FOCUSABLE) || element.querySelector(FOCUSABLE)) return;
  if (!element.textContent.trim()) return;
  element.role = "button";
  element.tabIndex = 0;
  element.dataset.keyboard = "";
}

// Select2 hides a list and shows a box beside it, without the label of the list.
function nameBox(select) {
  const label = select.labels[0]?.textContent.trim().replace(/\s*\*$/, "");
  const name = select.ariaLabel || label || select.name.split("__")[0].replaceAll("_", " ");
  const roles = "[role=combobox], [role=textbox], [role=searchbox]";
  const parts = select.nextElementSibling?.querySelectorAll(roles);
  for (const part of parts ?? []) if (!part.ariaLabel) part.ariaLabel = name;
  // The box of several choices has its search field in the list of the chosen ones.
  const chosen = select.nextElementSibling?.querySelector("ul.select2-selection__rendered");
  if (!chosen) return;
  chosen.role = "presentation";
  for (const item of chosen.querySelectorAll(":scope > li")) item.role = "none";
}

function repair() {
  for (const each of document.querySelectorAll("[x-on\\:click]")) makeButton(each);
  for (const each of document.querySelectorAll("a, button, [role=button]")) nameControl(each);
  for (const each of document.querySelectorAll(".select2-hidden-accessible")) nameBox(each);
  for (const each of document.querySelectorAll("span.help-tooltip")) each.role = "img";
  for (const icon of document.querySelectorAll(".material-symbols-outlined")) {
    // A button that is itself an icon is read by its name.
    if (icon.role !== "button") icon.ariaHidden = "true";
  }
}

let isPlanned = false;

function plan() {
  if (isPlanned) return;
  isPlanned = true;
  requestAnimationFrame(() => {
    isPlanned = false;
    repair();
  });
}

// --- Forms are sent once ------------------------------------------------------------------------

// After this time the form can be sent again: the response may have been a file.
const BUSY_SECONDS = 30;

function release(form) {
  form.ariaBusy = "false";
}

// A second click while the request is on its way must not repeat what it does.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.ariaBusy === "true") return event.preventDefault();
  form.ariaBusy = "true";
  setTimeout(release, BUSY_SECONDS * 1000, form);
});
// After "back", the page may come from the cache of the browser.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[aria-busy=true]")) release(form);
});

// --- Responses that scripts cannot use ----------------------------------------------------------

const SIGNED_OUT = 401;

function say(place, text) {
  const message = document.createElement("p");
  message.className = "frame-message";
  message.role = "alert";
  message.textContent = text;
  place.replaceChildren(message);
}

// Below the address bar, until a request succeeds.
function noticeOf() {
  let notice = document.getElementById("frame-notice");
  if (!notice) {
    notice = document.createElement("div");
    notice.id = "frame-notice";
    document.body.prepend(notice);
  }
  return notice;
}

// Otherwise a dialog would open with the content of the last one, and a row with none.
document.addEventListener("htmx:responseError", ({ detail: { target, xhr } }) => {
  const place = target.closest("#modal-content, .admin-opened");
  const isSignedOut = xhr.status === SIGNED_OUT;
  if (place) {
    const text = xhr.status < 500 ? "The state has changed. Reload the page." : "The request failed. Try again.";
    say(place, isSignedOut ? "Your session has ended. Sign in in another tab." : text);
  } else if (isSignedOut) {
    say(noticeOf(), "Your session has ended. Sign in in another tab, then go on here.");
  }
});
document.addEventListener("htmx:afterOnLoad", ({ detail: { xhr } }) => {
  if (xhr.status < 400) document.getElementById("frame-notice")?.remove();
});

// Signing in in another tab changes the token of all forms.
const tokens = new BroadcastChannel("longshore-csrf");
const TOKEN = "input[name=csrfmiddlewaretoken]";
document.addEventListener("DOMContentLoaded", () => {
  const token = document.querySelector(TOKEN)?.value;
  if (token) tokens.postMessage(token);
});
tokens.addEventListener("message", ({ data }) => {
  for (const input of document.querySelectorAll(TOKEN)) input.value = data;
});

// --- Keyboard and names -------------------------------------------------------------------------

document.addEventListener("keydown", (event) => {
  if ((event.key === "Enter" || event.key === " ") && "keyboard" in event.target.dataset) {
    event.preventDefault();
    event.target.click();
  }
});
document.addEventListener("click", ({ target }) => {
  if (target.closest("td[x-on\\:click]")) plan();
});
document.addEventListener("DOMContentLoaded", () => {
  repair();
  new MutationObserver(plan).observe(document.body, { childList: true, subtree: true });
});
