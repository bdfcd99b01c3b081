"""Each message lets one export be taken up, whichever it is, and each waiting one has a message."""

from copy import copy

import pytest
from django.utils import timezone

from exports import lifecycle
from exports.models import Export

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("has_message", [True, False])
def test_who_takes_up_another_export_leaves_its_message_behind(
    queued: Export, has_message: bool
) -> None:
    """Else the export that the message was for would wait as if it were lost."""
    later = copy(queued)
    later.pk, later.public_id = None, "exp_later"
    later.enqueued_at = timezone.now()
    later.save(force_insert=True)
    sent = timezone.now() if has_message else None
    Export.objects.filter(pk=queued.pk).update(enqueued_at=sent)
    taken = lifecycle.claim(later.pk)
    assert taken == queued
    later.refresh_from_db()
    assert later.enqueued_at == sent
