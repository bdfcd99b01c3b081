"""The API of PackageX."""
