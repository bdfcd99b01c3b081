"""`/api/events`: what has happened to exports and imports."""
