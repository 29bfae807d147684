"""Cells as text: what spreadsheets do to numbers, dates and blanks, undone."""

import datetime as dt
import unicodedata

NO_VALUE = "the formula of this cell has no value; correct it, or open the file in a spreadsheet and save it"
# what a cell shows where its formula has no value; Excel writes the same words into a CSV file
UNSAVED = "#UNSAVED!"  # our own: a formula that no spreadsheet has calculated yet
FORMULA_ERRORS = frozenset(
    (
        UNSAVED,
        "#N/A",
        "#REF!",
        "#VALUE!",
        "#DIV/0!",
        "#NAME?",
        "#NUM!",
        "#NULL!",
        "#SPILL!",
        "#CALC!",
        "#FIELD!",
        "#BLOCKED!",
    )
)


def clean(text: str) -> str:
    """Strip blanks of every kind, and write letters with accents one way, so that equal names are equal."""
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def text_of(value: object) -> str:
    """Write a workbook's cell as a CSV file would: ``0.3``, ``true``, ``2027-01-01``; a blank cell is ``""``.

    A number keeps every digit, a date at midnight loses its time.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else str(value)
    return str(value)
