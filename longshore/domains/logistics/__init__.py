"""The logistics domain: a mail room with shipments, contacts and items."""
