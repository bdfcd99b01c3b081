"""What a worker of the real broker outlives."""

from typing import Any

import pytest
from kombu.message import Message

from exports.models import Export, Status
from resources.logistics.models import Contact
from tests.conftest import KeyClient
from tests.exports.conftest import contacts, storage, wait_for, worker

__all__ = ["contacts", "storage", "worker"]


@pytest.mark.django_db(transaction=True)
def test_a_worker_outlives_a_message_that_it_cannot_acknowledge(
    alice: KeyClient, contacts: list[Contact], worker: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ack = Message.ack
    raised = []

    def broken(self: Message, *args: Any, **named: Any) -> None:
        ack(self, *args, **named)
        raised.append(self)
        raise AttributeError("'NoneType' object has no attribute 'hostname'")

    monkeypatch.setattr(Message, "ack", broken)
    for _ in range(2):
        assert alice.post("/v1/exports", {"resource": "contact"}).status_code == 201
    wait_for(lambda: Export.objects.filter(status=Status.COMPLETED).count() == 2)
    assert raised
