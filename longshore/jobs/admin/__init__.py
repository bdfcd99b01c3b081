"""Parts of admin pages that all kinds of job share. Registers no model itself."""
