"""The cells of a workbook as they are stored: value, formula and number format of each, sheet by sheet.

openpyxl gives either the formulas or their stored values, and reads twice for both.
"""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from posixpath import join, normpath
from xml.etree import ElementTree

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_TEXTS = ("s", "str", "inlineStr")  # kinds of cells that hold text


@dataclass(frozen=True)
class StoredCell:
    """A cell: its number or text (None: blank), its formula ("": none), its number format."""

    value: float | str | None
    formula: str
    number_format: str


def stored_cells(path: Path, most_bytes: int) -> dict[str, dict[str, StoredCell]]:
    """Read the cells of each sheet by their place, such as B7; blank ones are left out.

    Raises
    ------
    OSError, ValueError, KeyError, SyntaxError, zipfile.BadZipFile : it is no workbook, or unpacks to more than
        `most_bytes`.
    """
    with zipfile.ZipFile(path) as package:
        if sum(part.file_size for part in package.infolist()) > most_bytes:
            raise ValueError(f"it unpacks to more than {most_bytes:,} bytes")
        names = set(package.namelist())
        shared = _shared(package) if "xl/sharedStrings.xml" in names else []
        formats = _formats(package)
        return {name: dict(_cells(package, part, shared, formats)) for name, part in _sheets(package)}


def _sheets(package: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    relations = ElementTree.fromstring(package.read("xl/_rels/workbook.xml.rels"))
    target = {relation.attrib["Id"]: relation.attrib["Target"] for relation in relations}
    for sheet in ElementTree.fromstring(package.read("xl/workbook.xml")).iter(f"{_MAIN}sheet"):
        place = target[sheet.attrib[_RELATION]]
        yield sheet.attrib["name"], place.lstrip("/") if place.startswith("/") else normpath(join("xl", place))


def _shared(package: zipfile.ZipFile) -> list[str]:
    return [_text(entry) for entry in ElementTree.fromstring(package.read("xl/sharedStrings.xml"))]


def _text(entry: ElementTree.Element) -> str:
    return "".join(part.text or "" for part in entry.iter(f"{_MAIN}t"))


def _formats(package: zipfile.ZipFile) -> list[str]:
    """Return the number format of each style of cells: its code, or the number of one that every program knows."""
    styles = ElementTree.fromstring(package.read("xl/styles.xml"))
    codes = {form.attrib["numFmtId"]: form.attrib["formatCode"] for form in styles.iter(f"{_MAIN}numFmt")}
    looks = styles.find(f"{_MAIN}cellXfs")
    numbers = [] if looks is None else [look.attrib.get("numFmtId", "0") for look in looks]
    return [codes.get(number, number) for number in numbers]


def _cells(
    package: zipfile.ZipFile, part: str, shared: list[str], formats: list[str]
) -> Iterator[tuple[str, StoredCell]]:
    with package.open(part) as file:
        for _, element in ElementTree.iterparse(file):
            if element.tag == f"{_MAIN}row":
                element.clear()
            if element.tag != f"{_MAIN}c":
                continue
            formula = element.find(f"{_MAIN}f")
            value = _value(element, shared)
            if value is not None or formula is not None:
                written = "" if formula is None else formula.text or "shared"
                yield element.attrib["r"], StoredCell(value, written, formats[int(element.attrib.get("s", "0"))])


def _value(cell: ElementTree.Element, shared: list[str]) -> float | str | None:
    kind, stored = cell.attrib.get("t", "n"), cell.find(f"{_MAIN}v")
    if kind == "inlineStr":
        return _text(cell)
    if stored is None or stored.text is None:
        return "" if kind in _TEXTS and stored is not None else None
    if kind == "s":
        return shared[int(stored.text)]
    return float(stored.text) if kind == "n" else stored.text
