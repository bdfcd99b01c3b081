"""The tables of what batches keep of single rows: errors, the journal, samples of dry runs."""

from collections import Counter
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from batches.models.batch import Batch
from longshore.database.fields import OrderedJSONField


class BatchError(models.Model):
    """One error of one row.

    row: number of the record in the input, from 1; null for a record that no row names.
    column: header or key of the input, or the name of the target; empty for an error of the row.
    value: the refused text, shortened; null if there is none.
    """

    batch = models.ForeignKey(
        Batch, on_delete=models.CASCADE, related_name="row_errors", db_index=False
    )
    row = models.BigIntegerField(null=True)
    column = models.TextField(blank=True)
    code = models.CharField(max_length=40)
    value = models.TextField(null=True)  # noqa: DJ001
    message = models.TextField()

    class Meta:
        ordering = ("row", "pk")
        indexes: ClassVar = [
            models.Index(fields=("batch", "row", "id"), name="batcherror_by_row"),
            models.Index(fields=("batch", "code", "row", "id"), name="batcherror_by_code"),
        ]

    def __str__(self) -> str:
        return f"{self.row}: {self.message}"


class DryRunRecord(models.Model):
    """A record of a dry run: what would change, or a row with errors. Only the first ones are kept.

    step: a `batches.staging.Step`: CREATE, UPDATE, DELETE, or REFUSED for a row with errors.
    row: number of the record in the input, from 1; null for a record that no row names.
    key: the primary key as text; null if the database will assign it, and for a row with errors.
    values: of a new or deleted record, its values by name; of an updated one, the changed values;
        of a row with errors, its texts by header, without long ones.
    before: of an updated record, the former values by the same names; null for others.
    source: of a row that cannot be read, its text in the file; null for others.
    """

    batch = models.ForeignKey(
        Batch, on_delete=models.CASCADE, related_name="dry_run_records", db_index=False
    )
    step = models.CharField(max_length=1)
    row = models.BigIntegerField(null=True)
    key = models.TextField(null=True)  # noqa: DJ001
    values = OrderedJSONField()
    before = OrderedJSONField(null=True)
    source = models.TextField(null=True)  # noqa: DJ001

    class Meta:
        ordering = ("pk",)
        indexes: ClassVar = [
            models.Index(fields=("batch", "step", "row"), name="dryrunrecord_by_step")
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.step} {self.row or self.key}"


class JournalQuerySet(models.QuerySet["JournalEntry"]):
    """Queries of the journal."""

    def count_own(self) -> Counter[str]:
        """Return the number of the batch's own records by step, as far as entries name them."""
        named = self.filter(is_own=True).order_by().values("step")
        return Counter(dict(named.values_list("step", models.Sum("keys__len"))))


class JournalEntry(models.Model):
    """What one committed statement of a batch changed, so that a retry skips it and an undo
    reverses it.

    Written in the transaction of the change.

    number: order of the entries of a batch, with gaps.
    transaction: id of the PostgreSQL transaction. A record whose `xmin` differs has been changed
        since.
    table: the changed table. It differs from the resource's for records that are deleted or
        unlinked along with a record, and for links.
    step: a `batches.staging.Step`: `c`, `u` or `d`; `n` for an entry that names no records.
    is_own: whether the records are those of the batch, which its statistics count. The others are
        changed along with them: parts, links, and records that a deletion deletes or unlinks.
    rows: the input's rows, in the order of `keys`; empty if no row of the input named the records.
    keys: primary keys as text.
    before: the records before the change, as an array of objects of their columns
        (`batches.merging.tables`), in the order of `keys`; null for created records. Of an unlinked
        record it has the key, the foreign key and the version only.
    """

    batch = models.ForeignKey(
        Batch, on_delete=models.CASCADE, related_name="journal", db_index=False
    )
    number = models.PositiveIntegerField()
    transaction = models.BigIntegerField()
    table = models.TextField()
    step = models.CharField(max_length=1)
    is_own = models.BooleanField()
    rows = ArrayField(models.BigIntegerField())
    keys = ArrayField(models.TextField())
    before = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = JournalQuerySet.as_manager()

    class Meta:
        ordering = ("number",)
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("batch", "number"), name="journal_entry_is_unique")
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.number}"
