"""The phases of an attempt, its result files, and the preview."""
