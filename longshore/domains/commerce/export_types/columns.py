"""Columns and filters that several named exports share."""

NOT_TEST = {"is_test": False}
SKU = {"sku_code": "SKU", "name": "Product Title"}
TIMESTAMPS = {"created_at": "Date Created", "updated_at": "Date Updated"}
_ADDRESS = {
    "first_name": "First Name",
    "last_name": "Last Name",
    "line_1": "Line 1",
    "line_2": "Line 2",
    "line_3": "Line 3",
    "line_4": "Line 4",
    "city": "City",
    "state_code": "State",
    "zip_code": "Postcode",
    "country_code": "Country",
    "phone": "Phone Number",
}


def address(relation: str, title: str) -> dict[str, str]:
    """Return the columns of a related address. title: prefix of their headers."""
    return {f"{relation}.{name}": f"{title} {header}" for name, header in _ADDRESS.items()}
