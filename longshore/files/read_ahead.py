"""A file whose blocks a thread produces while the web server sends earlier ones."""

import io
from collections import Counter
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from threading import Lock

# Threads that produce blocks, for all files of the process. A slow client occupies none of them:
# the next block is produced when the client has received the block before.
_THREADS = 4
# Each open file holds two blocks, of 1 MiB at most: files that are open in one process, and those
# of one owner, whose clients may all be slow.
MAX_OPEN = 32
MAX_OPEN_OF_OWNER = 4
_pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="read-ahead")


class TooManyOpen(Exception):
    """The process, or the owner, has too many open files."""


class OpenFiles:
    """Counts the open files of a process by their owners."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts = Counter[str]()
        self._closed = SimpleQueue[str]()

    def add(self, owner: str) -> None:
        """Count a file. Raises TooManyOpen."""
        with self._lock:
            self._remove_closed()
            if self._counts.total() >= MAX_OPEN or self._counts[owner] >= MAX_OPEN_OF_OWNER:
                raise TooManyOpen
            self._counts[owner] += 1

    def remove(self, owner: str) -> None:
        """Remove a file, without a lock.

        The garbage collector closes files at any time, also in a thread that holds the lock.
        """
        self._closed.put(owner)

    def _remove_closed(self) -> None:
        try:
            while True:
                self._counts[self._closed.get_nowait()] -= 1
        except Empty:
            # Without the owners that have no open file.
            self._counts = +self._counts


open_files = OpenFiles()


class ReadAhead(io.RawIOBase):
    """A read-only file over blocks. Two of them are in memory at a time.

    `read` returns bytes of one block only. `seek` goes to the end, which tells the size, and back
    to positions inside the current block: web servers need no more.

    blocks: nonempty; have `size` bytes together.
    owner: the organization whose files they are.
    Raises TooManyOpen.
    """

    _counted_by: OpenFiles | None = None

    def __init__(self, blocks: Generator[bytes, None, None], size: int, owner: str) -> None:
        open_files.add(owner)
        self._owner = owner
        self._counted_by = open_files
        self._blocks = blocks
        self._size = size
        self._block = b""
        # Positions of the first byte of the block, and of the next byte to read.
        self._start = self._position = 0
        self._on_ready: Callable[[], object] | None = None
        self._next: Future[bytes] = _pool.submit(next, blocks, b"")

    @property
    def is_waiting(self) -> bool:
        """Whether `read` has to wait for the next block."""
        return self._is_used_up and not self._next.done()

    @property
    def _is_used_up(self) -> bool:
        return self._start + len(self._block) <= self._position < self._size

    def call_when_ready(self, function: Callable[[], object]) -> None:
        """Call a function in another thread whenever a block becomes ready.

        From now on, `read` does not wait: it returns no bytes while `is_waiting`.
        """
        self._on_ready = function
        self._next.add_done_callback(self._report)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origins = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}
        self._position = origins[whence] + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes. Raises what the production of the block raises."""
        if self._is_used_up:
            if self._on_ready and not self._next.done():
                return b""
            self._advance()
        first = self._position - self._start
        last = len(self._block) if size < 0 else first + size
        found = self._block[first:last]
        self._position += len(found)
        return found

    def close(self) -> None:
        counted_by, self._counted_by = self._counted_by, None
        if counted_by:
            counted_by.remove(self._owner)
            # A generator cannot be closed while a thread runs it.
            self._next.add_done_callback(lambda _: self._blocks.close())
        super().close()

    def _advance(self) -> None:
        self._start += len(self._block)
        self._block = self._next.result()
        if not self._block:
            raise EOFError(f"The file ended after {self._start} of {self._size} bytes.")
        self._next = _pool.submit(next, self._blocks, b"")
        if self._on_ready:
            self._next.add_done_callback(self._report)

    def _report(self, _: "Future[bytes]") -> None:
        if self._on_ready:
            self._on_ready()
