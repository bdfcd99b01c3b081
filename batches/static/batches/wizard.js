// The batch wizard: drag and drop, the upload with its progress, and marks of changed cells. The
// server renders everything else; htmx fetches the preview of the mapping.

// --- Upload -------------------------------------------------------------------------------------

const upload = document.getElementById("bw-upload");
const byId = (id) => document.getElementById(id);
const MEGABYTE = 1024 * 1024;

function showProblems(problems) {
  for (const each of upload.querySelectorAll("[data-problem]")) {
    each.textContent = problems[each.dataset.problem] ?? "";
  }
}

function size(bytes) {
  return bytes < MEGABYTE ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / MEGABYTE).toFixed(1)} MB`;
}

function chooseFile(file) {
  byId("bw-file-name").textContent = file ? `${file.name} (${size(file.size)})` : "Drop a file here, or choose one";
}

// Ends the running upload.
let canceling = new AbortController();

function setBusy(isBusy) {
  byId("bw-progress").hidden = !isBusy;
  byId("bw-submit").disabled = isBusy;
  byId("bw-file").disabled = isBusy;
}

function showProgress(sent, total) {
  const percent = total ? Math.floor((100 * sent) / total) : 100;
  byId("bw-progress-bar").value = percent;
  byId("bw-progress-percent").textContent = `${percent}%`;
  const isStored = sent < total;
  byId("bw-progress-text").textContent = isStored ? `Uploading, ${size(sent)} of ${size(total)}` : "Storing the file…";
}

function send(url, file) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    canceling.signal.addEventListener("abort", () => request.abort());
    request.open("PUT", url);
    request.upload.addEventListener("progress", (event) => showProgress(event.loaded, event.total));
    request.addEventListener("load", () => {
      if (request.status < 300) return resolve();
      let message = "";
      try {
        message = JSON.parse(request.responseText).message;
      } catch {
        // Not a response of Longshore, but of a proxy.
      }
      return reject(new Error(message || `The server refused the file (status ${request.status}).`));
    });
    request.addEventListener("error", () => reject(new Error("The upload was interrupted. Try again.")));
    request.addEventListener("abort", () => reject(canceling.signal.reason));
    request.send(file);
  });
}

// The draft whose file is on its way.
let announced = null;

// A draft without its file counts as unfinished until it expires.
function discard() {
  if (!announced) return;
  const body = new FormData();
  body.set("csrfmiddlewaretoken", upload.elements.csrfmiddlewaretoken.value);
  fetch(announced.discard, { method: "POST", body, keepalive: true }).catch(() => {});
  announced = null;
}

async function announce(file) {
  const form = new FormData(upload);
  form.delete("file");
  form.set("announced", file.name);
  form.set("size", file.size);
  const { signal } = canceling;
  const headers = { "X-Requested-With": "XMLHttpRequest" };
  const response = await fetch(upload.action, { method: "POST", body: form, headers, signal });
  if (response.status === 401) {
    throw new Error("Your session has ended. Sign in in another tab, then try again.");
  }
  if (response.status !== 200 && response.status !== 400) {
    throw new Error("The server did not accept the upload. Reload the page, and try again.");
  }
  return response.json();
}

async function start() {
  const file = byId("bw-file").files[0];
  if (!file) return showProblems({ file: "Choose a file." });
  showProblems({});
  canceling = new AbortController();
  setBusy(true);
  showProgress(0, file.size);
  try {
    const draft = await announce(file);
    if (draft.problems) {
      showProblems(draft.problems);
    } else {
      announced = draft;
      await send(draft.upload, file);
      announced = null;
      location.href = draft.next;
      return;
    }
  } catch (error) {
    discard();
    showProblems({ "": error.message });
  }
  setBusy(false);
}

if (upload) {
  const drop = byId("bw-drop");
  drop.classList.add("bw-live");
  upload.addEventListener("submit", (event) => {
    event.preventDefault();
    start();
  });
  drop.addEventListener("change", (event) => {
    // Unfold's own handler expects the text control of its file inputs.
    event.stopPropagation();
    chooseFile(event.target.files[0]);
  }, true);
  byId("bw-cancel").addEventListener("click", () => canceling.abort(new Error("The upload was canceled.")));
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("bw-over");
    });
  }
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("bw-over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (byId("bw-file").disabled || event.dataTransfer.files.length === 0) return;
    byId("bw-file").files = event.dataTransfer.files;
    chooseFile(event.dataTransfer.files[0]);
  });
  window.addEventListener("pagehide", discard);
  // After "back", the page may come from the cache of the browser, in the middle of an upload.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) setBusy(false);
  });
}

// --- Mapping ------------------------------------------------------------------------------------

const mapping = document.getElementById("bw-mapping");

if (mapping) {
  mapping.addEventListener("change", (event) => {
    if (event.target.name !== "on_error") return;
    mapping.querySelector(".bw-max-errors").hidden = event.target.value !== "max_errors";
  });
  for (const name of ["htmx:responseError", "htmx:sendError"]) {
    mapping.addEventListener(name, ({ detail: { xhr } }) => {
      const advice = xhr.status === 401 ? "Sign in in another tab, then try again" : "Try again, or reload the page";
      byId("bw-result-failed").textContent = `The preview was not loaded. ${advice}.`;
    });
  }
}

// --- Rows with errors ---------------------------------------------------------------------------

const stored = (cell) => cell.dataset.stored ?? cell.defaultValue;
const isEdited = (cell) => cell.type !== "checkbox" && cell.value !== stored(cell);
const cells = () => [...document.querySelectorAll("#bw-grid tbody :is(input, textarea)")];
let isSubmitting = false;

// The grid may arrive later, when the checks have ended.
document.addEventListener("input", ({ target }) => {
  if (target.closest("#bw-grid") && target.defaultValue !== undefined) {
    target.classList.toggle("bw-changed", isEdited(target));
  }
});

window.addEventListener("beforeunload", (event) => {
  if (!isSubmitting && cells().some(isEdited)) event.preventDefault();
});

document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.id !== "bw-grid") return;
  isSubmitting = true;
  // Cells that stay as they are need not be sent, which keeps the request small. A row that cannot
  // be read needs all of its cells.
  for (const cell of cells()) {
    cell.disabled = !cell.closest("[data-whole]") && cell.type !== "checkbox" && !isEdited(cell);
  }
});
window.addEventListener("pageshow", () => {
  isSubmitting = false;
  for (const cell of cells()) cell.disabled = false;
});
