"""Examples of requests for exports of logistics resources."""

from longshore.resources.request_examples import RequestExample, request_examples

request_examples.register(
    RequestExample(
        "Delivered parcels of a month",
        "A spreadsheet of the parcels delivered in December, with times in New York",
        {
            "resource": "shipment",
            "format": "csv",
            "options": {
                "status": "delivered,completed",
                "provider": "fedex,ups,usps",
                "created_at": "bwi:2024-12-01,2024-12-31",
                "order_by": "created_at",
                "limit": "all",
            },
            "csv_field_options": {
                "timezone": "America/New_York",
                "datetime_format": "MM/dd/yyyy hh:mm:ss a",
                "columns": {
                    "id": True,
                    "tracking_number": "Tracking number",
                    "provider": "Carrier",
                    "status": True,
                    "location.name": "Shipped from",
                    "created_at": "Created",
                },
                "column_order": ["created_at", "tracking_number"],
            },
        },
    ),
    RequestExample(
        "Contacts of a group",
        "The contacts of one group, newest first",
        {
            "resource": "contact",
            "options": {"group_id": "grp_01jd8x5m", "order_by": "created_at", "direction": "desc"},
            "csv_field_options": {"columns": ["id", "name", "email", "phone", "groups"]},
        },
    ),
    RequestExample(
        "JSON lines for a program",
        "All items with nested values, one JSON object per line, compressed",
        {"resource": "item", "format": "jsonl", "compression": "gzip"},
    ),
    RequestExample(
        "Filters by predicates",
        "Delivered parcels from one dock to contacts of one domain, by a prefix of their number",
        {
            "resource": "shipment",
            "filters": {
                "status_in": ["delivered", "completed"],
                "created_at_gteq": "2024-12-01",
                "destination_contact_email_end": "@example.com",
                "tracking_number_or_order_number_start": "1Z9",
                "location_name_eq": "Dock 4",
            },
        },
    ),
    RequestExample(
        "Contacts with their groups",
        "Contacts with nested groups and the names of the groups' locations",
        {
            "resource": "contact",
            "format": "json",
            "fields": ["name", "email", "groups.*", "groups.location.name"],
        },
    ),
    RequestExample(
        "Labels to review",
        "The last hundred labels that need a review, filtered by a key inside a JSON column",
        {
            "resource": "shipping_label_inference",
            "options": {
                "status": "needs_review",
                "metadata.service": "inbound",
                "order_by": "-created_at",
                "limit": 100,
            },
            "csv_field_options": {"delimiter": ";", "bom": True},
        },
    ),
)
