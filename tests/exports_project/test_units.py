"""The systemd units of production are valid and match the process table."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from exports_project.processes import PROCESSES, Process
from tests.recovery.services import need

ANALYZE = "systemd-analyze"
PROTECTION = {
    "ProtectSystem": "strict",
    "StateDirectory": "longshore",
    "CapabilityBoundingSet": "",
    "NoNewPrivileges": "yes",
    "UMask": "0077",
}
# Of ten, as `systemd-analyze security` reports it.
MAX_EXPOSURE = 4.0
BASE_DIR = settings.BASE_DIR
UNITS = BASE_DIR / "deploy" / "systemd"
FOLDER = "/opt/longshore/.venv/bin"


def test_systemd_accepts_every_unit(tmp_path: Path) -> None:
    verify(tmp_path)


def test_systemd_accepts_the_drop_ins_of_an_own_project(tmp_path: Path) -> None:
    page = (BASE_DIR / "docs" / "your-models.md").read_text()
    blocks = re.findall(r"^```\n# (\S+\.d/project\.conf)\n(.*?)^```", page, re.M | re.S)
    assert {name.partition(".")[0] for name, _ in blocks} == {
        path.stem for path in UNITS.glob("*.service")
    }
    for name, text in blocks:
        unit = UNITS / name.partition(".d/")[0]
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text(text)
        # Only the environment of the program differs.
        expected = directives(unit)["ExecStart"].replace("/opt/longshore", "/opt/oursite")
        assert directives(path)["ExecStart"] == expected
    verify(tmp_path)


def verify(folder: Path) -> None:
    """Let systemd read all units in a folder, with the drop-ins that the folder has.

    /opt/longshore does not exist here: links to this machine's folders replace it.
    """
    need("systemd", ANALYZE)
    shutil.copytree(UNITS, folder, dirs_exist_ok=True)
    # Links, because a unit allows no spaces in a path.
    programs, code = folder / "programs", folder / "code"
    programs.symlink_to(Path(sys.executable).parent)
    code.symlink_to(BASE_DIR)
    for path in [*folder.glob("*.service"), *folder.glob("*.d/*.conf")]:
        text = path.read_text().replace("/opt/oursite", "/opt/longshore")
        text = text.replace(FOLDER, str(programs))
        path.write_text(text.replace("/opt/longshore", str(code)))
    names = ["longshore.target", "longshore-web.service", "longshore-beat.service"]
    names += [f"longshore-worker@{queue}.service" for queue in ("large", "webhooks")]
    (folder / "longshore-worker@large.service").symlink_to("longshore-worker@.service")
    (folder / "longshore-worker@webhooks.service").symlink_to("longshore-worker@.service")
    process = subprocess.run(
        [ANALYZE, "verify", "--man=no", *(str(folder / name) for name in names)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    # systemd before version 254 warns about these and ignores them.
    newer = ("RestartSteps", "RestartMaxDelaySec")
    ours = [
        line
        for line in process.stderr.splitlines()
        if "longshore" in line and not any(f"'{name}'" in line for name in newer)
    ]
    assert (process.returncode, ours) == (0, [])


@pytest.mark.parametrize("path", sorted(UNITS.glob("*.service")), ids=lambda path: path.stem)
def test_a_process_may_write_to_its_own_folder_only(path: Path) -> None:
    assert PROTECTION.items() <= directives(path).items()
    need("systemd", ANALYZE)
    options = ("--offline=true", "--no-pager", f"--threshold={MAX_EXPOSURE * 10:.0f}")
    process = subprocess.run(
        [ANALYZE, "security", *options, str(path)], capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 0, process.stdout + process.stderr


@pytest.mark.parametrize("process", PROCESSES.values(), ids=lambda process: process.name)
def test_units_start_and_stop_every_process_of_the_table(process: Process) -> None:
    name, template = f"longshore-{process.name}.service", f"longshore-{process.name}.service"
    if process.queues:
        name, template = f"longshore-worker@{process.name}.service", "longshore-worker@.service"
    unit = directives(UNITS / template)
    for path in (UNITS / f"{name}.d").glob("*.conf"):
        unit |= directives(path)
    options = unit.get("Environment", "").strip('"').removeprefix("OPTIONS=")
    started = unit["ExecStart"].replace("$OPTIONS", options)
    started = started.replace("%i", process.name).replace("%%", "%")
    assert shlex.split(started) == [f"{FOLDER}/{process.program[0]}", *process.program[1:]]
    assert unit.get("KillSignal", "SIGTERM") == process.stop_signal.name
    assert int(unit.get("Nice", "0")) == process.niceness
    assert name in (UNITS / "longshore.target").read_text()


def test_the_target_starts_nothing_else() -> None:
    wanted = re.findall(r"longshore-\S+\.service", (UNITS / "longshore.target").read_text())
    assert len(wanted) == len(PROCESSES)


def test_the_first_start_on_debian_writes_known_settings() -> None:
    known = set(re.findall(r"^#([A-Z_0-9]+)=", (BASE_DIR / ".env.example").read_text(), re.M))
    page = (BASE_DIR / "docs" / "debian.md").read_text()
    written = re.findall(r"^([A-Z_0-9]+)=", page, re.M)
    assert "SECRET_KEY" in written
    assert set(written) <= known


def directives(path: Path) -> dict[str, str]:
    """Return the directives of a unit or of a drop-in; of a repeated directive, the last."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_systemd_always_restarts_a_process_that_dies() -> None:
    for path in UNITS.glob("*.service"):
        text = path.read_text()
        for line in ("Restart=always", "StartLimitIntervalSec=0", "RestartMaxDelaySec=30"):
            assert line in text, path.name
        # Gunicorn's master imports the settings, so a reload would keep the old ones.
        assert "ExecReload" not in text
