"""What the purchase order's columns are called: the writer and the reader of edited orders agree on it here."""

ORDER_SHEET = "Purchase order"
OFFER, START, UNITS, PRICE = "Offer", "Start", "Units", "Price"
PRICE_UNIT = "USD/unit-hour"


def heading(header: object) -> str:
    """Return the name in a header cell: its first line, without the unit below it."""
    return str(header).strip().split("\n")[0].strip().casefold() if header is not None else ""
