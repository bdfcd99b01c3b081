"""Each message allows one claim, and each waiting export has a message."""

from copy import copy
from typing import Any

import pytest
from django.utils import timezone

from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export
from longshore.accounts.models import Organization
from longshore.database.ids import new_id
from longshore.jobs import actions, maintenance
from tests.claims import claim

pytestmark = pytest.mark.django_db(transaction=True)


def another(export: Export, **values: Any) -> Export:
    made = copy(export)
    made.pk, made.public_id = None, new_id("exp")
    for name, value in values.items():
        setattr(made, name, value)
    made.save(force_insert=True)
    return made


@pytest.mark.parametrize("has_message", [True, False])
def test_a_worker_that_claims_another_export_transfers_its_message(
    queued: Export, has_message: bool
) -> None:
    """Otherwise no message would be left for the later export, which would wait for recovery."""
    later = another(queued, enqueued_at=timezone.now())
    sent = timezone.now() if has_message else None
    Export.objects.filter(pk=queued.pk).update(enqueued_at=sent)
    taken = claim(export_lifecycle, later)
    assert taken == queued
    later.refresh_from_db()
    assert later.enqueued_at == sent


def test_a_turn_outlives_the_deleted_export(queued: Export, globex: Organization) -> None:
    taken = claim(export_lifecycle, queued)
    assert taken is not None
    actions.delete(export_lifecycle, taken)
    maintenance.discard(export_lifecycle)
    assert not Export.objects.exists()
    first, second = another(queued), another(queued)
    foreign = another(queued, organization=globex)
    turns = [claim(export_lifecycle, first) for _ in range(3)]
    assert turns == [foreign, first, second]
