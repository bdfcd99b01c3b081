"""Examples of requests for exports of commerce resources."""

from longshore.resources.request_examples import RequestExample, request_examples

request_examples.register(
    RequestExample(
        "Orders of a quarter",
        "A named export, which declares columns, order and date column",
        {"type": "order_list", "date_from": "2025-01-01", "date_to": "2025-03-31"},
    ),
)
