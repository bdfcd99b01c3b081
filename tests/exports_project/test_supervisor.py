"""The supervisor restarts children that end, and gives up after repeated ends."""

import subprocess
import sys

import pytest

from exports_project import supervisor
from exports_project.embedded.child_processes import Child
from exports_project.supervisor import RestartLimitReached, Supervisor, reason
from tests.exports.conftest import wait_for


def child_that_exits(code: int) -> Child:
    return Child(lambda: subprocess.Popen([sys.executable, "-c", f"raise SystemExit({code})"]))


def test_the_supervisor_gives_up_after_five_deaths_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "FIRST_DELAY_SECONDS", 0)
    lines: list[str] = []
    watcher = Supervisor({"quick": child_that_exits(3)}, lines.append)

    def watch_once() -> bool:
        watcher.watch()
        return False

    with pytest.raises(
        RestartLimitReached, match="quick ended 5 times within 60 seconds"
    ) as raised:
        wait_for(watch_once)
    assert "the last time by exit code 3" in str(raised.value)
    assert lines == ["quick ended by exit code 3; starting it again in 0 s."] * 4


def test_old_deaths_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "PERIOD_SECONDS", 0)
    lines: list[str] = []
    watcher = Supervisor({"quick": child_that_exits(0)}, lines.append)
    monkeypatch.setattr(supervisor, "FIRST_DELAY_SECONDS", 0)

    def has_restarted() -> bool:
        watcher.watch()
        return len(lines) == 7

    wait_for(has_restarted)


@pytest.mark.parametrize(
    ("code", "expected"),
    [(3, "exit code 3"), (-9, "SIGKILL"), (-15, "SIGTERM"), (-99, "signal 99")],
)
def test_a_reason_names_the_exit_code_or_the_signal(code: int, expected: str) -> None:
    assert reason(code) == expected
