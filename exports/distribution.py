"""Distribution: parts of an export that workers of other machines read.

The worker that writes the export offers a part in a row and tells of it in a message; whoever
takes it up reads it in the same snapshot and leaves its blocks in the storage. A part that nobody
takes, or whose reader falls silent, is read by the one that offered it.
"""

import hashlib
import logging
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from io import BufferedReader
from itertools import count
from threading import BoundedSemaphore

import zstandard
from celery import current_app
from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now
from redis.exceptions import RedisError

from accounts.ids import new_id
from exports import heartbeats
from exports.copying import IncompleteExport, copy_blocks
from exports.formats.base import Block
from exports.models import Export, ExportPart
from exports.snapshot import Snapshot
from exports.storage import clear, discard, folder, read_back
from exports.stream import BlockReader, Reading
from resources.reading import configure

logger = logging.getLogger(__name__)

READ_PART = "exports.read_part"
QUEUE = "parts"

_LOOK_SECONDS = 0.05
# What nobody has taken by then is read here: every reader is busy, or there is none.
_OFFER_SECONDS = 1.0
_REPORT_SECONDS = 1.0
_MESSAGE_SECONDS = 10
_SILENCE = timedelta(seconds=5)
# Before each block in the storage: how many rows it has, and how many bytes it takes up.
_HEAD = struct.Struct("<QQ")
_ZSTD_LEVEL = 1


class Distribution:
    """The readers of other workers for one attempt of an export."""

    def __init__(self, export: Export) -> None:
        self.readers = settings.EXPORT_PART_TASKS if _workers() else 0
        self._export = export
        self._folder = f"{folder(export, export.claims[-1])}/parts"
        self._numbers = count(1)
        self._free = BoundedSemaphore(self.readers)

    def read(self, reading: Reading, check: Callable[[], None]) -> Iterator[Block] | None:
        if not self._free.acquire(blocking=False):
            return None
        try:
            key = f"{self._folder}/{next(self._numbers):06}"
            part = ExportPart.objects.create(export=self._export, key=key, reading=asdict(reading))
            try:
                return _stored(part) if _is_read(part, check) else None
            finally:
                # Whoever still reads it finds that nobody waits any more.
                ExportPart.objects.filter(pk=part.pk).delete()
        finally:
            self._free.release()
            # Of this thread alone.
            connection.close()

    def clear(self) -> None:
        """Delete what readers that died have left in the storage."""
        if self.readers:
            clear(self._folder)


def _workers() -> bool:
    # A broker or a cache that is away costs readers, no export.
    with suppress(RedisError):
        return heartbeats.fresh(QUEUE)
    return False


def _is_read(part: ExportPart, check: Callable[[], None]) -> bool:
    """Wait until somebody has read an offered part; false as soon as nobody seems to do so."""
    try:
        current_app.send_task(READ_PART, [part.pk], queue=QUEUE, expires=_MESSAGE_SECONDS)
    except Exception as error:
        # Whatever its client raises: nobody was told.
        logger.warning("Part %s is read here: %s", part, error)
        return False
    patience = time.monotonic() + _OFFER_SECONDS
    offered = ExportPart.objects.filter(pk=part.pk)
    silence = ExpressionWrapper(Now() - F("heartbeat_at"), DurationField())
    look = offered.values_list("taken_by", "sha256", "rows", "bytes", silence)
    while True:
        check()
        found = look.first()
        if found is None:
            return False
        taken_by, sha256, rows, size, silent = found
        if sha256:
            part.sha256, part.rows, part.bytes = sha256, rows, size
            return True
        if taken_by and silent > _SILENCE:
            return False
        late = not taken_by and time.monotonic() > patience
        if late and offered.filter(taken_by="").delete()[0]:
            return False
        time.sleep(_LOOK_SECONDS)


def read_part(number: int) -> None:
    """Read a part that was offered, unless somebody else does or nobody waits for it."""
    reader = new_id("reader")
    offered = ExportPart.objects.filter(pk=number, taken_by="")
    if not offered.update(taken_by=reader, heartbeat_at=Now()):
        return
    held = ExportPart.objects.filter(pk=number, taken_by=reader)
    part = held.first()
    if part is None:
        return
    snapshot = Snapshot()
    with ThreadPoolExecutor(1, thread_name_prefix="part") as pool:
        writing = pool.submit(_store, part, snapshot)
        try:
            while not wait([writing], timeout=_REPORT_SECONDS).done:
                if not held.update(heartbeat_at=Now()):
                    snapshot.cancel()
        except BaseException:
            # Also where this process is to end: nobody can be told that it is read.
            snapshot.cancel()
            wait([writing])
            discard(part.key)
            raise
    if error := writing.exception():
        # An error of the statement itself, who offered the part meets too.
        logger.warning("Part %s could not be read here: %s", part, error)
        held.delete()
        discard(part.key)
    elif not held.update(heartbeat_at=Now(), rows=part.rows, bytes=part.bytes, sha256=part.sha256):
        discard(part.key)


def _store(part: ExportPart, snapshot: Snapshot) -> None:
    """Write the blocks of a part into the storage; `part` then says what they amount to."""
    reading = Reading(**part.reading)
    digest = hashlib.sha256()
    part.rows = part.bytes = 0

    def written() -> Iterator[bytes]:
        compressor = zstandard.ZstdCompressor(_ZSTD_LEVEL)
        for block in copy_blocks(reader, reading.copy.encode(), reading.line_end.encode()):
            data = compressor.compress(block.data)
            data = _HEAD.pack(block.rows, len(data)) + data
            digest.update(data)
            part.rows += block.rows
            part.bytes += len(data)
            yield data

    with snapshot.reader(reading.shared) as reader:
        configure(reader.cursor(), reading.configuration)
        default_storage.save(part.key, File(BufferedReader(BlockReader(written()))))
    part.sha256 = digest.hexdigest()


def _stored(part: ExportPart) -> Iterator[Block]:
    """What somebody has left in the storage, which goes once it was read."""
    digest = hashlib.sha256()
    rows = 0
    decompressor = zstandard.ZstdDecompressor()
    source = BufferedReader(BlockReader(read_back(part.key, 0, part.bytes)))
    try:
        while head := source.read(_HEAD.size):
            number, size = _HEAD.unpack(head)
            data = source.read(size)
            digest.update(head + data)
            rows += number
            yield Block(number, decompressor.decompress(data))
    finally:
        discard(part.key)
    if digest.hexdigest() != part.sha256 or rows != part.rows:
        raise IncompleteExport("a part in storage is not what was read")
