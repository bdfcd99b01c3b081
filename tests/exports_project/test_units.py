"""The systemd units of production: valid, and of the same programs as `make run`."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from django.conf import settings

from exports_project.serve import PROGRAMS
from tests.recovery.services import need

ANALYZE = "systemd-analyze"
UNITS = settings.BASE_DIR / "deploy" / "systemd"


def test_systemd_accepts_every_unit(tmp_path: Path) -> None:
    """The units' folders do not exist here: replaced by links to this machine's."""
    need("systemd", ANALYZE)
    shutil.copytree(UNITS, tmp_path, dirs_exist_ok=True)
    # Links, because a path in a unit must not have spaces.
    programs, code = tmp_path / "programs", tmp_path / "code"
    programs.symlink_to(Path(sys.executable).parent)
    code.symlink_to(settings.BASE_DIR)
    for path in tmp_path.glob("*.service"):
        text = path.read_text().replace("/opt/longshore/.venv/bin", str(programs))
        path.write_text(text.replace("/opt/longshore", str(code)))
    names = ["longshore.target", "longshore-web.service", "longshore-beat.service"]
    names += [f"longshore-worker@{queue}.service" for queue in ("large", "webhooks")]
    (tmp_path / "longshore-worker@large.service").symlink_to("longshore-worker@.service")
    (tmp_path / "longshore-worker@webhooks.service").symlink_to("longshore-worker@.service")
    process = subprocess.run(
        [ANALYZE, "verify", "--man=no", *(str(tmp_path / name) for name in names)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    # Ignored by systemd before version 254.
    newer = ("RestartSteps", "RestartMaxDelaySec")
    ours = [
        line
        for line in process.stderr.splitlines()
        if "longshore" in line and not any(f"'{name}'" in line for name in newer)
    ]
    assert (process.returncode, ours) == (0, [])


def test_they_start_what_make_run_starts() -> None:
    """But for the numbers of processes, which are for a laptop there."""
    worker = (UNITS / "longshore-worker@.service").read_text()
    threads = (UNITS / "longshore-worker@webhooks.service.d" / "threads.conf").read_text()
    wanted = (UNITS / "longshore.target").read_text()
    for name, (command, stop_signal) in PROGRAMS.items():
        if name in ("web", "beat"):
            text = (UNITS / f"longshore-{name}.service").read_text()
            words = command[command.index("-c" if name == "web" else "-A") :]
        else:
            text = worker.replace("%i", name).replace("%%", "%")
            words = command[command.index("-A") : command.index("-Q") + 2]
            options = threads if name == "webhooks" else worker
            assert "--pool=threads" in options if name == "webhooks" else True
            assert f"KillSignal={stop_signal.name}" in options
            assert f"longshore-worker@{name}.service" in wanted
        [start] = [line for line in text.splitlines() if line.startswith("ExecStart=")]
        assert " ".join(words) in " ".join(shlex.split(start)).replace(' ""', " ")


def test_a_program_that_dies_is_always_started_again() -> None:
    for path in UNITS.glob("*.service"):
        text = path.read_text()
        for line in ("Restart=always", "StartLimitIntervalSec=0", "RestartMaxDelaySec=30"):
            assert line in text, path.name
        # Gunicorn's master has imported the settings, so a reload would keep them.
        assert "ExecReload" not in text
