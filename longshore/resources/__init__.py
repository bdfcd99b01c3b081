"""Resources: the declared models, with their columns, relations and filters."""
