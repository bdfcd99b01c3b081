"""Machines for benchmarks: network namespaces on a bridge, and CPU limits by control groups.

Linux and root only. The machines share the disk, so local sockets work across them.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

# The addresses exist in the namespaces of this script only.
HOST = "10.199.0.1"
NETWORK = "10.199.0.0/24"
_BRIDGE = "longshore"
_CGROUPS = Path("/sys/fs/cgroup")
_PERIOD_MICROSECONDS = 100_000


class Unsupported(Exception):
    """The system does not allow what a machine needs; the message names it."""


@dataclass(frozen=True)
class Machine:
    """A network namespace and a control group."""

    name: str
    group: Path

    def command(self, command: list[str]) -> list[str]:
        """Return the command that runs another one on this machine."""
        return ["ip", "netns", "exec", self.name, *command]

    def limit(self, cores: float, processes: list[int]) -> None:
        """Give these processes and their children this many cores together."""
        quota = int(cores * _PERIOD_MICROSECONDS)
        if (self.group / "cpu.max").exists():
            (self.group / "cpu.max").write_text(f"{quota} {_PERIOD_MICROSECONDS}")
        else:
            (self.group / "cpu.cfs_period_us").write_text(str(_PERIOD_MICROSECONDS))
            (self.group / "cpu.cfs_quota_us").write_text(str(quota))
        for process in processes:
            (self.group / "cgroup.procs").write_text(str(process))


@contextmanager
def network() -> Iterator[None]:
    """Create the bridge of all machines until the end of the block. Raises Unsupported."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise Unsupported("Network namespaces need root and the command `ip`.")
    try:
        _ip("link", "add", _BRIDGE, "type", "bridge")
    except subprocess.CalledProcessError as error:
        raise Unsupported(f"A bridge cannot be created: {error}") from error
    try:
        _ip("addr", "add", f"{HOST}/24", "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")
        yield
    finally:
        _ip("link", "del", _BRIDGE)


@contextmanager
def machines(number: int) -> Iterator[list[Machine]]:
    """Create machines on the bridge until the end of the block. Raises Unsupported.

    Their processes must have ended before.
    """
    with ExitStack() as stack:
        yield [stack.enter_context(_machine(index)) for index in range(1, number + 1)]


@contextmanager
def _machine(index: int) -> Iterator[Machine]:
    name, outer, inner = f"{_BRIDGE}{index}", f"{_BRIDGE}{index}", "eth0"
    with ExitStack() as stack:
        group = _group(name)
        stack.callback(_remove, group)
        try:
            _ip("netns", "add", name)
        except subprocess.CalledProcessError as error:
            raise Unsupported(f"A network namespace cannot be created: {error}") from error
        stack.callback(_ip, "netns", "del", name)
        _ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name)
        _ip("link", "set", outer, "master", _BRIDGE)
        _ip("link", "set", outer, "up")
        _ip("-n", name, "addr", "add", f"10.199.0.{index + 1}/24", "dev", inner)
        for device in (inner, "lo"):
            _ip("-n", name, "link", "set", device, "up")
        yield Machine(name, group)


def _group(name: str) -> Path:
    """Create a control group that can limit the CPU: of version 2, or of version 1."""
    root = _CGROUPS if (_CGROUPS / "cgroup.controllers").exists() else _CGROUPS / "cpu"
    group = root / name
    try:
        group.mkdir()
    except OSError as error:
        raise Unsupported(f"A control group cannot be created: {error}") from error
    if not any((group / file).exists() for file in ("cpu.max", "cpu.cfs_quota_us")):
        group.rmdir()
        raise Unsupported("Control groups cannot limit the CPU here.")
    return group


def _remove(group: Path) -> None:
    """Remove a control group; the system needs a moment after the end of its processes."""
    for _ in range(50):
        with suppress(OSError):
            return group.rmdir()
        time.sleep(0.1)
    group.rmdir()


def _ip(*arguments: str) -> None:
    subprocess.run([shutil.which("ip") or "ip", *arguments], check=True, stderr=subprocess.PIPE)
