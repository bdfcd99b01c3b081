"""What the admin pages of all domains share: lists and forms of records, amounts of money."""
