"""The API of Commerce Layer."""
