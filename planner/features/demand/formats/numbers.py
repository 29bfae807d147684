"""Numbers that are written as text: ``1,440.00``, ``1440,00``, ``$1 200``. What separates what is settled by the file.

A cell such as ``1,440.00`` can be read in one way only, and tells how the whole file is written. A cell such as
``1.200`` can be read in two ways: it is read where another cell of the file (or ``decimal`` in the map) settles it, and
refused with its row and column where nothing does. Nothing that cannot be read is ever taken as 0.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from planner.errors import Fault, InputError
from planner.features.demand.engine import own_function

Decimal = Literal[".", ","]

# what exports write where there is no value, in lower case; one list for every reader
BLANKS = (
    "", "null", "(null)", "none", "nan", "na", "n/a", "n.a.", "#n/a", "nil", "undefined", "(blank)", "-", "--",
    "\u2013", "\u2014", "\\n",
)  # fmt: skip
SPACES = " \u00a0\u2009\u202f'\u2019"  # which group digits: spaces, and the Swiss apostrophe
CURRENCY_SIGNS = {"$": None, "€": "EUR", "£": "GBP", "₹": "INR"}  # a dollar may be of several countries; ¥ is, too
CODE = r"(?:[A-Z]{3}|US\$|C\$|A\$|[$€£¥₹])"
MONEY = re.compile(rf"^(?P<neg>[-(])?\s*(?P<before>{CODE})?\s*(?P<sign>[-+])?(?P<body>[\d.,{SPACES}eE+-]*\d[\d.,]*)\s*(?P<after>{CODE})?\)?$")  # fmt: skip  # noqa: E501
PLAIN = r"[+-]?(?:\d+|\d*\.\d+|\d+\.)(?:[eE][+-]?\d+)?"  # as every language writes it
GROUP = rf"[{SPACES}]"
BOTH_WAYS = r"[+-]?[1-9]\d{0,2}[.,]\d{3}"  # one separator, three digits: thousands, or a decimal
# as a locale writes it: groups of three (two, in India), then the decimal sign
WRITTEN: Mapping[Decimal, str] = {
    ".": rf"[+-]?(?:[1-9]\d{{0,2}}(?:(?:,\d{{2,3}})*,\d{{3}}|(?:{GROUP}\d{{3}})+)|\d+)?(?:\.\d*)?(?:[eE][+-]?\d+)?",
    ",": rf"[+-]?(?:[1-9]\d{{0,2}}(?:(?:\.\d{{2,3}})*\.\d{{3}}|(?:{GROUP}\d{{3}})+)|\d+)?(?:,\d*)?(?:[eE][+-]?\d+)?",
}


def trimmed(value: Any) -> Any:
    """Return a text column without spaces around it.

    Not Ibis's ``strip``: it writes out the characters to strip, and Spark reads its backslash-v and -f as letters.
    """
    return own_function("trim", ("string",), "string")(value)


def is_blank(value: object) -> bool:
    """Tell whether a cell says that there is no value."""
    return value is None or value != value or str(value).strip().lower() in BLANKS


@dataclass(frozen=True)
class TextCell:
    """A cell and where it is."""

    file: str
    column: str
    text: str


def settled(
    cells: Iterable[TextCell], given: Decimal | None = None, *, semicolons: bool = False, whole: bool = True
) -> Decimal:
    """Return the decimal sign of a file's numbers.

    Parameters
    ----------
    cells : those cells of the file's numeric columns that are no plain whole numbers; others tell nothing.
    given : what the map says; it is taken as it is.
    semicolons : cells are separated by semicolons, as where the comma is the decimal sign.
    whole : the columns hold counts, which have no decimals; money may have three.

    Raises
    ------
    InputError
        Two cells contradict each other, or nothing settles how cells such as ``1.200`` are meant: with row and column.
    """
    if given is not None:
        return given
    proof: dict[Decimal, TextCell] = {}
    open_cells: list[TextCell] = []
    for cell in cells:
        text = body_of(cell.text)
        if re.fullmatch(BOTH_WAYS, text):
            open_cells.append(cell)
            continue
        ways = [sign for sign, written in WRITTEN.items() if re.fullmatch(written, text)]
        if len(ways) == 1 and re.search(r"[.,]", text):
            proof.setdefault(ways[0], cell)
    if len(proof) > 1:
        told = "numbers are written in two ways that contradict each other; say decimal in the map, or mend the file"
        raise InputError([_fault(cell, told) for cell in proof.values()])
    if proof:
        return next(iter(proof))
    if open_cells:
        signs = {"," if "," in cell.text else "." for cell in open_cells}
        if signs == {","} and whole and not semicolons:
            return "."  # counts are whole, so that ``1,200`` in a file separated by commas groups digits
        said = "is this sign for thousands or for decimals? Nothing in the file tells; say decimal in the map"
        raise InputError([_fault(open_cells[0], said, allowed="decimal: '.' or decimal: ','")])
    return "."


def body_of(text: str) -> str:
    """Return a number's text without currency, with its sign before it; text that is no number comes back as it is."""
    found = MONEY.match(text.strip())
    if found is None:
        return text.strip()
    minus = found["neg"] is not None or found["sign"] == "-"
    return ("-" if minus else "") + found["body"].strip(SPACES)


def currency_of(text: str) -> str | None:
    """Return the currency that a cell names: a code or a sign; None where it names none, or a dollar of any country."""
    found = MONEY.match(text.strip())
    code = (found["before"] or found["after"]) if found else None
    return {"US$": "USD", "C$": "CAD", "A$": "AUD", "¥": None, **CURRENCY_SIGNS}.get(code, code) if code else None


def parsed(text: object, decimal: Decimal = ".", money: bool = False) -> float | None:
    """Return a cell as a number; NaN where it is blank, None where it is no number."""
    if is_blank(text):
        return float("nan")
    shown = body_of(str(text)) if money else str(text).strip()
    if not re.fullmatch(WRITTEN[decimal], shown, re.ASCII) or not re.search("[0-9]", shown):
        return None  # digits of other scripts are not read anywhere
    cleaned = re.sub(rf"[{SPACES}{'.' if decimal == ',' else ','}]", "", shown).replace(",", ".")
    try:
        value = float(cleaned)
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


def plain(value: Any) -> Any:
    """Return a text column as the numbers that every language writes; null where a cell is none, as is ``1_000``."""
    import ibis

    return ibis.cases((value.contains("_"), ibis.null("float64")), else_=value.try_cast("float64"))


def expression(value: Any, decimal: Decimal) -> Any:
    """Return a text column as numbers written with this decimal sign; null where a cell is no such number."""
    import ibis

    other = "." if decimal == "," else ","
    cleaned = trimmed(value).re_replace(rf"[{SPACES}{other}]", "").replace(",", ".")
    sound = trimmed(value).re_search(f"^{WRITTEN[decimal]}$")
    return ibis.cases((sound, cleaned.try_cast("float64")), else_=ibis.null("float64"))


def row_of(path: Path, column: str, text: str) -> int | None:
    """Find the line of a CSV file in which a cell stands, as an editor counts them; None where it is not found."""
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            head = file.readline()
            sign = max(",;\t|", key=head.count)
            file.seek(0)
            reader = csv.reader(file, delimiter=sign)
            names = [name.strip() for name in next(reader, [])]
            place = names.index(column) if column in names else None
            for row in reader:
                if place is not None and len(row) > place and row[place].strip() == text.strip():
                    return reader.line_num
    except (OSError, csv.Error):
        return None
    return None


def _fault(cell: TextCell, message: str, allowed: str | None = None) -> Fault:
    path = Path(cell.file)
    return Fault(
        str(path), message, row=row_of(path, cell.column, cell.text), column=cell.column, value=cell.text,
        allowed=allowed,
    )  # fmt: skip
