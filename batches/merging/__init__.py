"""From the plan to the resource's table, and back: writes, deletions, journal and undo."""
