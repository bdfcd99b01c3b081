"""Signatures of links: valid for a time, and only as they were made."""

import pytest
from django.core.signing import TimestampSigner

from longshore.files.signed_links import InvalidLink, sign, verify

IDENTIFIER = "exp_1/Größe: 1.csv"


def test_a_signature_gives_its_identifier_back() -> None:
    assert verify(sign(IDENTIFIER), 300) == IDENTIFIER


def test_an_old_signature_has_expired() -> None:
    with pytest.raises(InvalidLink) as raised:
        verify(sign(IDENTIFIER), 0)
    assert raised.value.expired


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "nonsense",
        IDENTIFIER,
        sign(IDENTIFIER)[:-1],
        sign(IDENTIFIER).replace("exp_1", "exp_2"),
        TimestampSigner(key="guessed", salt="longshore.files.link").sign(IDENTIFIER),
        TimestampSigner(salt="another").sign(IDENTIFIER),
    ],
    # Signatures contain the time: every process must collect the same names.
    ids=["empty", "text", "no signature", "short", "other file", "other key", "other salt"],
)
def test_a_forged_signature_is_invalid(signature: str) -> None:
    with pytest.raises(InvalidLink) as raised:
        verify(signature, 300)
    assert not raised.value.expired
