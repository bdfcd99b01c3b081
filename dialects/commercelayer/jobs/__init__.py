"""What exports and imports share: attributes, columns of lists, and the viewset."""
