"""Files whose blocks a thread produces while the web server sends earlier ones."""

import gc
import io
from collections.abc import Generator
from threading import Event

import pytest
from waitress.buffers import ReadOnlyFileBasedBuffer

from longshore.files import read_ahead
from longshore.files.read_ahead import (
    MAX_OPEN,
    MAX_OPEN_OF_OWNER,
    OpenFiles,
    ReadAhead,
    TooManyOpen,
)

_SECONDS = 10
BLOCKS = [b"abc", b"defgh", b"i"]


@pytest.fixture(autouse=True)
def nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the files that other tests have left open."""
    monkeypatch.setattr(read_ahead, "open_files", OpenFiles())


def produce(blocks: list[bytes]) -> Generator[bytes, None, None]:
    yield from blocks


def test_the_blocks_are_read_in_order_and_the_size_is_known() -> None:
    file = ReadAhead(produce(BLOCKS), 9, "org_1")
    assert (file.seek(0, io.SEEK_END), file.seek(0), file.tell()) == (9, 0, 0)
    assert [file.read(2) for _ in range(7)] == [b"ab", b"c", b"de", b"fg", b"h", b"i", b""]


def test_bytes_of_a_block_can_be_read_again() -> None:
    """waitress reads a block, sends a part of it, and skips that part."""
    buffer = ReadOnlyFileBasedBuffer(ReadAhead(produce(BLOCKS), 9, "org_1"))
    assert buffer.prepare() == 9
    received = b""
    while len(buffer):
        sent = buffer.get(4)[:2]
        received += sent
        buffer.skip(len(sent), True)
    assert received == b"abcdefghi"


def test_a_reader_that_must_not_wait_is_called_when_a_block_is_ready() -> None:
    may_continue, is_ready = Event(), Event()

    def slow() -> Generator[bytes, None, None]:
        assert may_continue.wait(_SECONDS)
        yield b"abc"

    file = ReadAhead(slow(), 3, "org_1")
    file.call_when_ready(is_ready.set)
    assert file.is_waiting
    assert file.read(3) == b""
    may_continue.set()
    assert is_ready.wait(_SECONDS)
    assert not file.is_waiting
    assert file.read(3) == b"abc"
    assert not file.is_waiting


def test_a_file_that_ends_early_is_an_error() -> None:
    file = ReadAhead(produce([b"abc"]), 9, "org_1")
    assert file.read() == b"abc"
    with pytest.raises(EOFError, match="ended after 3 of 9 bytes"):
        file.read()


def test_an_error_of_a_block_is_raised_by_read() -> None:
    def broken() -> Generator[bytes, None, None]:
        yield b"abc"
        raise OSError("the storage is gone")

    file = ReadAhead(broken(), 9, "org_1")
    assert file.read() == b"abc"
    with pytest.raises(OSError, match="the storage is gone"):
        file.read()


def test_closing_the_file_closes_its_source() -> None:
    is_closed = Event()

    def blocks() -> Generator[bytes, None, None]:
        try:
            yield b"abc"
            yield b"def"
        finally:
            is_closed.set()

    file = ReadAhead(blocks(), 6, "org_1")
    file.read()
    file.close()
    assert is_closed.wait(_SECONDS)


def test_open_files_are_limited_per_owner_and_together() -> None:
    opened = [ReadAhead(produce(BLOCKS), 9, "org_1") for _ in range(MAX_OPEN_OF_OWNER)]
    with pytest.raises(TooManyOpen):
        ReadAhead(produce(BLOCKS), 9, "org_1")
    opened.pop().close()
    opened.append(ReadAhead(produce(BLOCKS), 9, "org_1"))
    rest = MAX_OPEN - MAX_OPEN_OF_OWNER
    opened += [ReadAhead(produce(BLOCKS), 9, f"org_{n + 2}") for n in range(rest)]
    with pytest.raises(TooManyOpen):
        ReadAhead(produce(BLOCKS), 9, "org_0")
    for each in opened:
        each.close()


def test_files_that_the_garbage_collector_closes_count_no_longer() -> None:
    """Also those that it closes while another file is being opened."""
    # Otherwise each collection reads all objects of the test process.
    gc.freeze()
    try:
        for _ in range(20 * MAX_OPEN_OF_OWNER):
            file = ReadAhead(produce(BLOCKS), 9, "org_1")
            cycle = [file]
            cycle.append(cycle)  # type: ignore[arg-type]
            del file, cycle
            gc.collect()
    finally:
        gc.unfreeze()


def test_a_file_is_closed_while_its_thread_opens_another() -> None:
    """As the garbage collector may do at any time."""
    first = ReadAhead(produce(BLOCKS), 9, "org_1")

    class Owner(str):
        __slots__ = ()

        def __hash__(self) -> int:
            first.close()
            return str.__hash__(self)

        def __eq__(self, other: object) -> bool:
            return str.__eq__(self, other)

    second = ReadAhead(produce(BLOCKS), 9, Owner("org_1"))
    assert first.closed
    second.close()
