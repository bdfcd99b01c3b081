"""Validation: from the texts of the input to typed rows, links, a plan and errors.

PostgreSQL does the work per row. `sources` decides which columns of the input a value comes from,
`conversion` and the modules of types build the SQL that reads one cell, `cells` creates `typed`
with every cell computed once, `references` and `links` find related records, `plan` finds the
record of each row, and `records` tests the records as they would be after the write. Python sees
distinct values only, in blocks: those that validators and suggestions need.
"""
