"""APIs of other vendors over the same engine: unmodified clients work with another base URL."""
