"""Records in the words of PackageX."""
