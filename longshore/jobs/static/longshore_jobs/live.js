// While jobs on this page are unfinished, the page is fetched again and their parts are replaced: one
// request for all of them. A page in the background waits.
const INTERVAL_SECONDS = 2;

// The parts of a page that show a job: its row of the list, or the content and the buttons of its
// page.
function partsOf(page, job) {
  const row = page.querySelector(`#result_list [data-job="${job}"]`)?.closest("tr");
  if (row) return [row];
  const summary = page.querySelector(`.admin-summary:has([data-job="${job}"])`);
  const buttons = page.querySelector('a[hx-get*="_job/"]')?.closest("ul");
  return [summary, buttons].filter(Boolean);
}

// Details that the reader has opened stay open, and what it has selected stays selected.
function keepState(before, after) {
  const opened = before.querySelectorAll("details");
  after.querySelectorAll("details").forEach((each, number) => {
    each.open = opened[number]?.open ?? false;
  });
  const box = before.querySelector("input.action-select");
  if (box?.checked) after.querySelector("input.action-select").checked = true;
}

// Without those that scripts have made of other elements: a part of a response has none of them yet.
const CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex]:not([data-keyboard])";

// The keyboard focus stays at its place in the part.
function replacePart(before, after) {
  const place = [...before.querySelectorAll(CONTROLS)].indexOf(document.activeElement);
  before.replaceWith(after);
  after.querySelectorAll(CONTROLS)[place]?.focus({ preventScroll: true });
}

// The parts of the last response, by job and number. In the page, scripts have changed them.
const lastParts = new Map();

function isUnchanged(key, part) {
  const isSame = lastParts.get(key)?.isEqualNode(part) ?? false;
  lastParts.set(key, part.cloneNode(true));
  return isSame;
}

function replaceParts(unfinished, page) {
  for (const progress of unfinished) {
    const updated = partsOf(page, progress.dataset.job);
    const shown = partsOf(document, progress.dataset.job);
    shown.forEach((part, number) => {
      // A job that no longer matches the filters of the list leaves it, with its opened row.
      if (!updated[number]) return (part.closest("#result_list tbody") ?? part).remove();
      if (isUnchanged(`${progress.dataset.job} ${number}`, updated[number])) return;
      keepState(part, updated[number]);
      replacePart(part, updated[number]);
      // Dialogs are opened by htmx, which knows only the elements of the first page.
      window.htmx?.process(updated[number]);
    });
  }
}

async function refresh() {
  const unfinished = document.querySelectorAll("[data-unfinished]");
  if (unfinished.length === 0) return;
  try {
    if (!document.hidden) {
      const response = await fetch(location.href);
      // A redirect leads to the sign-in page, or away from a deleted job.
      if (response.redirected || response.status === 404) return;
      if (response.ok) {
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        replaceParts(unfinished, page);
      }
    }
  } catch (error) {
    // The network or the server may be unavailable for a moment: try again later.
    console.warn(error);
  }
  setTimeout(refresh, INTERVAL_SECONDS * 1000);
}

setTimeout(refresh, INTERVAL_SECONDS * 1000);
