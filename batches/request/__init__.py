"""From the body of a request to a `BatchSpec`, and from headers to targets."""
