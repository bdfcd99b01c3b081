"""The `demo` and `demo_data` commands, and their generators."""
