// While an export on this page runs, what shows it is fetched again and put in its place.
const SECONDS = 2;

function place(progress) {
  return progress.closest("#result_list tr, #content-main");
}

async function refresh() {
  const running = document.querySelectorAll("[data-running]");
  if (running.length === 0) return;
  const response = await fetch(location.href);
  if (!response.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const old of running) {
    const found = page.querySelector(`[data-export="${old.dataset.export}"]`);
    if (found) place(old).replaceWith(place(found));
    else place(old).remove();
  }
  setTimeout(refresh, SECONDS * 1000);
}

setTimeout(refresh, SECONDS * 1000);
