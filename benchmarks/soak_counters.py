"""Check at the end of a soak test: counters of organizations agree with their rows and files.

Import it after the environment of the stack is set: it imports the settings.
"""

from tests.recovery.invariants import BATCHES, EXPORTS, Verdict
from tests.recovery.stack import Stack

# Each statement returns the counters that differ from the rows, with the numbers.
_USAGE = """
SELECT organization_id, last_number, jobs, count(*), count(*) FILTER (
 WHERE (created_at AT TIME ZONE 'UTC')::date = day)
FROM {jobs} AS job LEFT JOIN {jobs}usage AS usage USING (organization_id)
WHERE organization_id = ANY(%s)
GROUP BY organization_id, last_number, jobs
HAVING (last_number, last_number, jobs) IS DISTINCT FROM (count(*), max(organization_number),
 count(*) FILTER (WHERE (created_at AT TIME ZONE 'UTC')::date = day))"""
_HOURS = """
SELECT organization_id, status, counted.jobs, found.jobs, counted.rows, found.rows FROM (
 SELECT organization_id, status, sum(jobs) AS jobs, sum(rows) AS rows FROM longshore_jobs_jobhour
 WHERE kind = %s GROUP BY 1, 2) AS counted
FULL JOIN (
 SELECT organization_id, status, count(*) AS jobs,
  sum(CASE WHEN status = 'completed' THEN records_count ELSE 0 END) AS rows
 FROM {jobs} WHERE status IN ('completed', 'failed') GROUP BY 1, 2) AS found
USING (organization_id, status)
WHERE organization_id = ANY(%s)
 AND (counted.jobs, counted.rows) IS DISTINCT FROM (found.jobs, found.rows)"""
_TOTALS = """
SELECT kind, status, total.jobs, hours.jobs FROM (
 SELECT kind, status, sum(jobs) AS jobs FROM longshore_jobs_jobtotal GROUP BY 1, 2) AS total
FULL JOIN (
 SELECT kind, status, sum(jobs) AS jobs FROM longshore_jobs_jobhour GROUP BY 1, 2) AS hours
USING (kind, status) WHERE total.jobs IS DISTINCT FROM hours.jobs"""
_STORED = "SELECT public_id, stored_bytes FROM {jobs} WHERE stored_bytes > 0"


def check_counters(stack: Stack, organizations: list[str], verdict: Verdict) -> None:
    """Check usage, jobs per hour, totals and stored bytes. organizations: ids."""
    for kind in (EXPORTS, BATCHES):
        usage = stack.query(kind.fill(_USAGE), organizations)
        hours = stack.query(kind.fill(_HOURS), kind.name, organizations)
        verdict.wrong += [f"usage, {kind.name}: {row}" for row in usage]
        verdict.wrong += [f"jobs per hour, {kind.name}: {row}" for row in hours]
        for public_id, size in stack.query(kind.fill(_STORED)):
            files = stack.storage.glob(f"*/*/{public_id}/*/*")
            # The manifest of an export is not counted.
            sizes = [path.stat().st_size for path in files if path.name != "manifest.json"]
            if sum(sizes) != size:
                verdict.wrong.append(f"{public_id}: {size} bytes stored, {sum(sizes)} found")
    verdict.wrong += [f"totals: {row}" for row in stack.query(_TOTALS)]
