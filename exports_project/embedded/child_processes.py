"""Child processes that never outlive their parent."""

import ctypes
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NoReturn, Protocol

import psutil

STOP_SECONDS = 60
PR_SET_PDEATHSIG = 1
_WAIT_SECONDS = 0.02
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def spawn(
    command: Sequence[str | Path],
    *,
    output: IO[bytes] | int | None,
    death_signal: signal.Signals = signal.SIGTERM,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start a process in its own session.

    Ctrl-C in the terminal reaches only the parent, which stops its children in order. On Linux the
    kernel sends `death_signal` when the parent dies, even by SIGKILL.

    output: destination of stdout and stderr; None for those of the parent.
    options: further arguments of subprocess.Popen.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=tie_to_parent(death_signal),
        **options,
    )


class ChildProcess(Protocol):
    """The methods of a process that `Child` uses: a part of `subprocess.Popen`."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> Any: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def kill(self) -> None: ...


class Fork:
    """A copy of this process that calls a function, in its own session. A `ChildProcess`.

    It shares the memory of everything that this process has loaded. It gets the standard output of
    this process, but no other open file.
    """

    def __init__(
        self, function: Callable[[], object], *, death_signal: signal.Signals = signal.SIGTERM
    ) -> None:
        """Start the process. It ends with exit code 0, that of SystemExit, or 1 after an error."""
        tie = tie_to_parent(death_signal)
        # Otherwise both processes would print the buffered text.
        sys.stdout.flush()
        sys.stderr.flush()
        self.returncode: int | None = None
        # The copy must not receive a signal while it has the handlers of this process.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
        try:
            self.pid = os.fork()
            if not self.pid:
                _run_forked(function, tie, mask)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def poll(self) -> int | None:
        """Return the exit code, or the negative number of the signal; None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end. Return what `poll` returns. Raises subprocess.TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            time.sleep(_WAIT_SECONDS)
        return code

    def send_signal(self, sig: int) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _run_forked(
    function: Callable[[], object], tie: Callable[[], None] | None, mask: set[int | signal.Signals]
) -> NoReturn:
    """Call the function and end this process, which `Fork` has made.

    mask: the signals to block.
    """
    code = 1
    try:
        os.setsid()
        if tie:
            tie()
        for number in _STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        # Locks and sockets of the parent. Not closerange: the limit of open files may be a billion.
        for descriptor in map(int, os.listdir("/dev/fd")):
            if descriptor > 2:
                with suppress(OSError):
                    os.close(descriptor)
        function()
        code = 0
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            code = error.code or 0
        else:
            print(error.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        # Nothing of the parent may run here, such as the end of its blocks.
        os._exit(code)


def tie_to_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """Return a preexec_fn that sets the parent-death signal; None on other systems than Linux.

    The kernel clears this signal when the process changes its user; subprocess.Popen calls
    preexec_fn after that.
    """
    if sys.platform != "linux":
        return None
    # Loaded before the fork: between fork and exec only system calls are safe.
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent:  # The parent died before the call.
            os._exit(1)

    return tie


def stop(
    process: ChildProcess,
    stop_signal: signal.Signals = signal.SIGTERM,
    seconds: float = STOP_SECONDS,
) -> None:
    """Send the signal and wait for the end; kill the process after `seconds`."""
    process.send_signal(stop_signal)
    await_end(process, seconds)


def await_end(process: ChildProcess, seconds: float) -> None:
    """Wait for the end of a process; kill it after `seconds`."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass
class Child:
    """A child process, started at once and restartable after its end.

    stop_signal: ends it in order.
    stop_seconds: time until it is killed after this signal.
    """

    spawn: Callable[[], ChildProcess]
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = STOP_SECONDS
    process: ChildProcess = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.process = self.spawn()

    def stop(self) -> None:
        stop(self.process, self.stop_signal, self.stop_seconds)

    def kill_remains(self) -> None:
        """Kill the remaining processes of its session after its end."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def stop_orphan(pid_file: Path, folder: Path, stop_signal: signal.Signals) -> None:
    """Stop the server of an earlier parent that was killed, if it still runs.

    Kills it after STOP_SECONDS.
    pid_file: its first line is the process id. The system may have reused the id, also for a
        process of another user, so only a process whose working directory is `folder` is stopped.
    """
    with suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
        process = psutil.Process(int(pid_file.read_text().split("\n")[0]))
        if Path(process.cwd()) != folder:
            return
        process.send_signal(stop_signal)
        try:
            process.wait(STOP_SECONDS)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait()
