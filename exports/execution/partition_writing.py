"""Writes the rows of one partition: as a part of the export's file, or as a file of its own."""

import hashlib
from dataclasses import asdict
from tempfile import TemporaryFile
from typing import Any, Protocol, cast

from exports.execution.files import content_type
from exports.formats import formats
from exports.formats.base import TextFormat
from exports.lifecycle.storage import EXPORT_STORAGE
from exports.models import Export, ExportPartition
from exports.reading.partition_reader import PartitionReader
from exports.reading.stream import FileStream
from exports.spec import ExportSpec
from longshore.files.block_file import BlockFile
from longshore.files.pieces import Crc, Piece
from longshore.files.storage import file_storage
from longshore.files.storage.base import MIN_PART_BYTES
from longshore.files.verification import verify


class PartitionWriter(Protocol):
    """Writes one partition, once. `size`: the bytes written so far."""

    @property
    def size(self) -> int: ...

    def write(self) -> dict[str, Any] | None:
        """Write the rows. Return what identifies and describes the stored bytes, ready for JSON.

        Returns None if the bytes are too few for a part: then nothing is stored.
        Raises the errors of PartitionReader and of the storage.
        """

    def discard(self) -> None:
        """Delete the stored bytes, after `write` has ended or failed. Errors are logged."""


class PartWriter:
    """Writes a partition as a part of an upload.

    The size of a part must be known before it is sent, so a temporary file holds it.
    """

    def __init__(
        self,
        export: Export,
        spec: ExportSpec,
        partition: ExportPartition,
        reader: PartitionReader,
        number: int,
    ) -> None:
        """Prepare it.

        partition: of an export with a TextFormat and a DIVISIBLE compression.
        number: of the part; another one for each claim of each partition.
        """
        self._number = number
        self._spec = spec
        self._reader = reader
        self._is_first = partition.number == 0
        self._stored = Crc()
        self._save = file_storage.part_saver(EXPORT_STORAGE.file_key(export, 1), partition.upload)

    @property
    def size(self) -> int:
        return self._stored.size

    def write(self) -> dict[str, Any] | None:
        piece = Piece(self._spec.compression, is_first=self._is_first)
        text = cast("TextFormat", formats[self._spec.format]).write_piece(
            self._reader.columns, self._reader.blocks(), self._spec, is_first=self._is_first
        )
        digest = hashlib.sha256()
        with TemporaryFile(prefix="longshore-") as file:
            for block in piece.compress(text):
                file.write(block)
                digest.update(block)
                self._stored = self._stored.updated(block)
            if self._stored.size < MIN_PART_BYTES:
                return None
            file.seek(0)
            saved = self._save(self._number, file, self._stored.value)
        return {
            "saved": asdict(saved),
            "sha256": digest.hexdigest(),
            "stored": asdict(self._stored),
            "text": asdict(piece.text),
        }

    def discard(self) -> None:
        """Do nothing: the upload drops the parts that its completion does not list."""


class FileWriter:
    """Writes a partition as a file of its own, in any format, and verifies it."""

    def __init__(
        self, export: Export, spec: ExportSpec, reader: PartitionReader, number: int
    ) -> None:
        """Prepare it. number: of the file; another one for each claim of each partition."""
        self._key = EXPORT_STORAGE.file_key(export, number)
        self._content_type = content_type(spec)
        self._stream = FileStream(spec, reader.columns, reader.blocks())

    @property
    def size(self) -> int:
        return self._stream.checksum.size

    def write(self) -> dict[str, Any] | None:
        file_storage.save(self._key, BlockFile(self._stream, self._content_type))
        verify(self._key, self._stream.checksum)
        return {"key": self._key, "sha256": self._stream.checksum.hexdigest()}

    def discard(self) -> None:
        file_storage.try_delete(self._key)
