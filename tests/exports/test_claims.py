"""Each message lets one export be taken up, whichever it is, and each waiting one has a message."""

from copy import copy
from typing import Any

import pytest
from django.utils import timezone

from exports.lifecycle import actions
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export
from longshore.accounts.models import Organization
from longshore.database.ids import new_id
from longshore.jobs import maintenance

pytestmark = pytest.mark.django_db(transaction=True)


def another(export: Export, **values: Any) -> Export:
    made = copy(export)
    made.pk, made.public_id = None, new_id("exp")
    for name, value in values.items():
        setattr(made, name, value)
    made.save(force_insert=True)
    return made


@pytest.mark.parametrize("has_message", [True, False])
def test_who_takes_up_another_export_leaves_its_message_behind(
    queued: Export, has_message: bool
) -> None:
    """Else the export that the message was for would wait as if it were lost."""
    later = another(queued, enqueued_at=timezone.now())
    sent = timezone.now() if has_message else None
    Export.objects.filter(pk=queued.pk).update(enqueued_at=sent)
    taken = export_lifecycle.claim(later.pk)
    assert taken == queued
    later.refresh_from_db()
    assert later.enqueued_at == sent


def test_who_deletes_an_export_has_had_its_turn_all_the_same(
    queued: Export, globex: Organization
) -> None:
    taken = export_lifecycle.claim(queued.pk)
    assert taken is not None
    actions.delete(taken)
    maintenance.discard(export_lifecycle)
    assert not Export.objects.exists()
    first, second = another(queued), another(queued)
    theirs = another(queued, organization=globex)
    turns = [export_lifecycle.claim(first.pk) for _ in range(3)]
    assert turns == [theirs, first, second]
