"""The text by which the staff finds jobs of all organizations."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models


class JobSearch(models.Model):
    """The searched text of a job: id, named export, metadata and error, in lower case.

    A trigger of the job's table writes and deletes the rows
    (`longshore/jobs/migrations/0002_search.py`). A table of its own, because a job changes several
    times: each version of a row in the job's table would be indexed again.

    number: the primary key of the job.
    """

    number = models.BigIntegerField(primary_key=True)
    text = models.TextField()

    class Meta:
        abstract = True
        indexes: ClassVar[list[models.Index]] = [
            # Without the list of pending entries, whose cleanup would delay a single insertion.
            GinIndex(
                fields=["text"],
                opclasses=["gin_trgm_ops"],
                fastupdate=False,
                name="%(class)s_text",
            )
        ]

    def __str__(self) -> str:
        return f"{self.number}"
