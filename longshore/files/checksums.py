"""SHA-256 of a file while it is written, with checkpoints to verify its ranges in parallel."""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

CHECKPOINT_BYTES = 32 << 20


class CheckpointedHash:
    """The running hash of a file.

    size: bytes hashed so far.
    """

    def __init__(self, interval: int = CHECKPOINT_BYTES) -> None:
        """Hash from the beginning. interval: minimum number of bytes between two checkpoints."""
        self.size = 0
        self._interval = interval
        self._hash = hashlib.sha256()
        # Position in the file and the state of the hash there.
        self._checkpoints = [(0, self._hash.copy())]

    def update(self, block: bytes) -> None:
        self.size += len(block)
        self._hash.update(block)
        if self.size - self._checkpoints[-1][0] >= self._interval:
            self._checkpoints.append((self.size, self._hash.copy()))

    def hexdigest(self) -> str:
        return self._hash.hexdigest()

    def matches(self, read_range: Callable[[int, int], Iterable[bytes]], threads: int) -> bool:
        """Compare a stored copy of the hashed bytes, several ranges at once.

        Each range continues the hash from its checkpoint and must arrive at the next one, so all
        ranges together prove as much as the hash of the whole file.

        read_range: returns the stored bytes from a position up to, but not including, another.
        threads: ranges that are read at once.
        """

        def is_equal(start: int, end: int) -> bool:
            digest = states[start].copy()
            for block in read_range(start, end):
                digest.update(block)
            return digest.digest() == states[end].digest()

        # If no byte follows the last checkpoint, both states have the same position and become one
        # entry.
        states = dict([*self._checkpoints, (self.size, self._hash)])
        positions = list(states)
        with ThreadPoolExecutor(threads, thread_name_prefix="verify") as pool:
            return all(pool.map(is_equal, positions, positions[1:]))
