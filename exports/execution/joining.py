"""Decides which small partitions are joined, because a part of a file must not be small."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from exports.models import PartitionStatus
from longshore.files.storage.base import MIN_PART_BYTES

# The fields of a partition that the decision needs.
JOINABLE = ("pk", "status", "bytes")
Partition: TypeAlias = dict[str, Any]
# A joined part may be compressed a little better than its pieces were.
JOINED_BYTES = MIN_PART_BYTES * 5 // 4


def groups_to_join(partitions: Sequence[Partition]) -> list[list[Partition]]:
    """Return groups of consecutive partitions, each to be read again as one.

    partitions: all of the file, in its order, with the fields JOINABLE.

    Small partitions are joined until they are large enough. The rest of them joins the partition
    before or after it; if that is not read yet, the rest waits, because that may be small too.
    Each partition is thus usually read twice at most. None are joined if the whole file is too
    small.
    """
    groups: list[list[Partition]] = []
    before: list[Partition] | None = None
    group: list[Partition] = []
    for each in [*partitions, None]:
        if each is not None and each["status"] == PartitionStatus.SMALL:
            group.append(each)
            if sum(small["bytes"] for small in group) >= JOINED_BYTES:
                groups.append(group)
                before, group = group, []
            continue
        is_read = each is None or each["status"] == PartitionStatus.DONE
        if group and is_read:
            if before is not None:
                if not any(before is other for other in groups):
                    groups.append(before)
                before += group
            elif each is not None:
                groups.append([*group, each])
                each = None
        group = []
        before = [each] if each is not None and is_read else None
    return groups
