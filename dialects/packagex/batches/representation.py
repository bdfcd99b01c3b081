"""Batches in the words of PackageX, made from those of the native API and of its events."""

from collections.abc import Mapping
from typing import Any

from batches.lifecycle.representation import LINKS
from batches.spec import Action, Duplicates, Mode
from dialects.packagex.jobs import changed_at, epoch, shown_status

# The phases that each mode executes before the response.
_SYNC_PHASES = {
    Mode.SYNC: ("parsing", "validation", "processing", "cleanup"),
    Mode.MIXED: ("parsing", "validation"),
    Mode.ASYNC: (),
}


def show_batch(native: Mapping[str, Any], organization_id: str) -> dict[str, Any]:
    """Return a batch, with the links of those files that the native one has.

    native: the batch in the native API or in an event.
    """
    stats, source, upload = native["stats"], native["input"] or {}, native.get("upload")
    is_overwrite = native["action"] == Action.OVERWRITE
    request = native.get("request", {})
    shown = {
        "id": native["id"],
        "object": "batch",
        "organization_id": organization_id,
        "resource": native["resource"],
        "mode": native["mode"],
        "via": native["via"],
        "action": native["action"],
        "status": shown_status(native),
        "duplicate_handling": request.get("duplicate_handling") or Duplicates.IGNORE_ALL.value,
        "reason": native["reason"],
        "phases": [_phase(each, native["mode"]) for each in native["phases"]],
        "stats": {
            "created": stats["created"],
            "updated": stats["updated"],
            "deleted": 0 if is_overwrite else stats["deleted"],
            "overwritten": stats["deleted"] if is_overwrite else 0,
            # Batches cause no events of single records.
            "events": 0,
        },
        "created_at": epoch(native["created_at"]),
        "updated_at": epoch(changed_at(native)),
        # Longshore knows the key of a request, not the person.
        "updated_by": None,
        "checksum": source.get("sha256"),
        "_upload_url": upload["url"] if upload else None,
    }
    if "request" not in native:
        del shown["duplicate_handling"]
    return shown | {f"_{name}_url": native[name] for name in LINKS if name in native}


def _phase(native: Mapping[str, Any], mode: str) -> dict[str, Any]:
    is_sync = native["name"] in _SYNC_PHASES[Mode(mode)]
    return {**native, "mode": "sync" if is_sync else "async"}
