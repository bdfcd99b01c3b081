// Buttons that copy the text beside them. The page of a job is replaced while the job runs, so the
// document listens.
const SHOWN_SECONDS = 2;

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Without HTTPS, browsers offer no clipboard.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const label = button.textContent;
  try {
    await copy(button.closest(".admin-copyable").querySelector("[data-copied]").textContent);
    button.textContent = "Copied";
  } catch (error) {
    console.warn(error);
    button.textContent = "Not copied";
  }
  setTimeout(() => (button.textContent = label), SHOWN_SECONDS * 1000);
});
