"""The database tables of exports."""

from exports.models.export import (
    DiscardedFolder,
    Export,
    ExportEvent,
    ExportFile,
    ExportQuerySet,
    ExportTurn,
    end_of_retention,
    retention,
)
from exports.models.limits import ExportLimits, ExportUsage
from exports.models.status import ENDS, UNFINISHED, Lane, Status
from exports.models.totals import ExportCount, ExportTotal

__all__ = [
    "ENDS",
    "UNFINISHED",
    "DiscardedFolder",
    "Export",
    "ExportCount",
    "ExportEvent",
    "ExportFile",
    "ExportLimits",
    "ExportQuerySet",
    "ExportTotal",
    "ExportTurn",
    "ExportUsage",
    "Lane",
    "Status",
    "end_of_retention",
    "retention",
]
