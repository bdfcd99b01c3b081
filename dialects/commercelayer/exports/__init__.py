"""`/api/exports`: exports in the words of the vendor."""
