"""The judgments of the soak test (`benchmarks.soak`) about memory and fault-free seconds."""

import pytest

from benchmarks import memory
from benchmarks.soak import CALM_SECONDS, Injected


@pytest.mark.parametrize(
    ("megabytes", "is_flat"),
    [
        ([100.0] * 8, True),
        # Within the tolerance of 10 % and 10 MB.
        ([100.0] * 6 + [120.0] * 2, True),
        ([100.0] * 6 + [121.0] * 2, False),
        # A peak between the first and the last quarter does not count as growth.
        ([100.0] * 4 + [900.0] * 2 + [100.0] * 2, True),
    ],
)
def test_memory_is_flat_if_the_last_quarter_is_hardly_above_the_first(
    megabytes: list[float], is_flat: bool
) -> None:
    samples = memory.Samples()
    samples.of["web"] += megabytes
    assert samples.is_flat("web") == is_flat


@pytest.mark.parametrize(
    ("began", "ended", "overlaps"),
    [
        (100.0, 109.9 - CALM_SECONDS, False),
        (100.0, 110.1 - CALM_SECONDS, True),
        (111.0, 112.0, True),
        (100.0, 130.0, True),
        (113.1 + CALM_SECONDS, 130.0, False),
    ],
)
def test_a_request_near_a_fault_is_not_fault_free(
    began: float, ended: float, overlaps: bool
) -> None:
    fault = Injected("a fault from second 110 to 113", 110.0, 113.0)
    assert fault.overlaps(began, ended) == overlaps
