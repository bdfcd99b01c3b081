"""The API of 29next."""
