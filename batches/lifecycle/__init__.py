"""Creation, limits, status changes, files and webhook events of batches."""
