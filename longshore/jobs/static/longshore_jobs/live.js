// While jobs on this page are running, the page is fetched again and their parts are replaced.
const INTERVAL_SECONDS = 2;

// The part of a page that shows a job: its row of the list, or the whole content.
function partOf(progress) {
  return progress.closest("#result_list tr, #content-main");
}

async function refresh() {
  const running = document.querySelectorAll("[data-running]");
  if (running.length === 0) return;
  const response = await fetch(location.href);
  // A redirect leads to the sign-in page, or away from a deleted job.
  if (!response.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const progress of running) {
    const updated = page.querySelector(`[data-job="${progress.dataset.job}"]`);
    // A job that no longer matches the filters of the list leaves it.
    if (updated) partOf(progress).replaceWith(partOf(updated));
    else partOf(progress).remove();
  }
  setTimeout(refresh, INTERVAL_SECONDS * 1000);
}

setTimeout(refresh, INTERVAL_SECONDS * 1000);
