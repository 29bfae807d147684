"""Which format an export is of: by its columns and keys, never by its file's name; and what is said where none fits."""

import json
import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from planner.errors import Fault, InputError
from planner.features.demand import engine as engines
from planner.features.demand.formats import FORMAT, FORMATS, declared
from planner.features.demand.formats.cells import flat_name
from planner.features.demand.formats.format import ExportReading, Format, Inputs, Sample, has_signs
from planner.features.demand.formats.found import SHOWN_COLUMNS, check_twins
from planner.features.demand.formats.records import first_row, is_empty_page
from planner.features.demand.names import NameMap
from planner.features.demand.source_files import SourceFile, fail, read_text

# what Python raises where a number, a list or an object is not what the format has at that place
WRONG_SHAPE = (AttributeError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError, AssertionError)
NEEDED = ("time", "input_tokens", "output_tokens", "requests")


def is_of(format: Format, sample: Sample) -> bool:
    """Tell whether a sample is of a format; one that is not built like it is not."""
    try:
        return (format.recognise or _by_signs(format))(sample)
    except WRONG_SHAPE:
        return False


def _by_signs(format: Format) -> Any:
    def recognise(sample: Sample) -> bool:
        return has_signs(format, columns_in(format, sample)) or _refusal(format, sample) is not None

    return recognise


def columns_in(format: Format, sample: Sample) -> frozenset[str]:
    """Return what a format's signs are looked for in: a table's columns, or the names in a document's first row."""
    if sample.document is None or format.rows is None:
        return sample.columns
    try:
        return frozenset(first_row(sample, format.rows))
    except WRONG_SHAPE:  # it is not built like this format
        return sample.columns


def _refusal(format: Format, sample: Sample) -> str | None:
    columns = columns_in(format, sample)
    there = {flat_name(name) for name in columns}
    return next((said for signs, said in format.refuses if {flat_name(name) for name in signs} <= there), None)


def sample_of(engine: Any, file: SourceFile) -> Sample:
    """Return what a file can be recognised by."""
    if file.kind == "text":
        return Sample("text", text=file.head)
    if file.kind in ("json", "jsonl"):
        text = read_text(file.path) if file.kind == "json" else next(x for x in file.head.splitlines() if x.strip())
        try:
            document, _ = json.JSONDecoder().raw_decode(text.lstrip())
        except (ValueError, RecursionError) as error:
            row = text.count("\n", 0, getattr(error, "pos", 0)) + 1
            raise fail(file.path, f"is not whole JSON (truncated or corrupt): {error}", row=row) from error
        first = document[0] if isinstance(document, list) and document else document
        return Sample("json", frozenset(first) if isinstance(first, dict) else frozenset(), first)
    return Sample(file.kind, frozenset(engines.columns_of(engine, file)))


def named(engine: Any, files: tuple[SourceFile, ...], name: str) -> Format:
    """Return the format that the user names; refuse files that are plainly of another."""
    format, faults = FORMAT[name], []
    for file in files if name != "table" else ():
        sample = sample_of(engine, file)
        if not is_of(format, sample):
            other = next((f.name for f in FORMATS if f.name != "table" and is_of(f, sample)), None)
            if other is not None or file.kind in ("csv", "parquet", "jsonl"):
                seen = other or ", ".join(sorted(sample.columns))
                faults.append(Fault(str(file.path), f"is no export of {format.title}", value=seen))
        elif (said := _refusal(format, sample)) is not None:
            faults.append(Fault(str(file.path), f"holds {said}"))
    if faults:
        raise InputError(faults)
    return format


def recognised(engine: Any, files: tuple[SourceFile, ...], names: NameMap, table_name: str | None) -> Format:
    """Return the format of all files, or of a database's table.

    Raises
    ------
    InputError
        Some file is of no known format, or they are of several.
    """
    if not files:
        return _of_database(engine, names, table_name)
    found: dict[str, list[str]] = {}
    faults, empty = [], []
    for file in files:
        sample = sample_of(engine, file)
        if is_empty_page(sample.document):
            empty.append(file)
            continue
        match = next((f for f in FORMATS if is_of(f, sample)), None)
        if match is None and (names.columns or names.long) and sample.columns:
            match = FORMAT["table"]
        if match is None:
            faults.append(_no_format(file, sample))
        elif (said := _refusal(match, sample)) is not None:
            faults.append(Fault(str(file.path), f"holds {said}"))
        else:
            found.setdefault(match.name, []).append(file.path.name)
    if len(found) > 1:
        listed = "; ".join(f"{name}: {', '.join(files)}" for name, files in found.items())
        faults.append(Fault("sources", f"are of several formats, which may count the same traffic twice ({listed})"))
    if not found and not faults:
        faults = [Fault(str(file.path), "is a page without any usage in it") for file in empty]
    if faults:
        raise InputError(faults)
    return FORMAT[next(iter(found))]


def _of_database(engine: Any, names: NameMap, table_name: str | None) -> Format:
    tables = {name.lower(): name for name in engines.tables_of(engine)}
    if table_name is None:
        for format in FORMATS:
            if format.default_table is not None and format.default_table.lower() in tables:
                return format
        shown = ", ".join(sorted(tables.values())[:12])
        raise InputError([Fault("database", "has no LiteLLM table; name one with --table", allowed=shown)])
    columns = frozenset(Inputs(engine, (), names, table_name).table().columns)
    return next((f for f in FORMATS if is_of(f, Sample("table", columns))), FORMAT["table"])


def _no_format(file: SourceFile, sample: Sample) -> Fault:
    """Say what a file seems to be, all its columns, and which keys of the map are missing."""
    columns = sorted(sample.columns)
    if not columns:
        seen = sample.text[:60].strip()
        return Fault(str(file.path), "is of no known format", value=seen, allowed=", ".join(FORMAT))
    nearest = _nearest(sample)
    guess = f"; it looks most like {nearest}" if nearest else ""
    there = {flat_name(name) for name in columns}
    plain = FORMAT["table"].columns
    missing = [name for name in NEEDED if not any(flat_name(known) in there for known in getattr(plain, name))]
    keys = ", ".join(f"{name}: ..." for name in missing)
    listed = ", ".join(columns)[:SHOWN_COLUMNS]
    told = f"is of no known format{guess}. Its columns: {listed}. As a table it needs"
    return Fault(
        str(file.path),
        f"{told} a map with columns: {{{keys}}} (of input, output and requests, those that there are)",
        allowed=", ".join(FORMAT) + " (or a map of columns)",
    )


def _nearest(sample: Sample) -> str | None:
    """Return the format of which most signs are there, at least half; and what it lacks."""
    best: tuple[float, str] = (0.0, "")
    for format in FORMATS:
        there = {flat_name(name) for name in columns_in(format, sample)}
        for signs in format.signs:
            lacking = [name for name in signs if flat_name(name) not in there]
            share = 1 - len(lacking) / len(signs)
            if share > best[0]:
                best = (share, f"{format.name}, which also has {', '.join(lacking)}")
    return best[1] if best[0] >= 0.5 else None


def read_whole(format: Format, inputs: Inputs) -> ExportReading:
    """Read an export.

    Raises
    ------
    InputError
        naming every file that is not built like the format.
    """
    try:
        return _read(format, inputs)
    except WRONG_SHAPE as error:
        if not inputs.files or os.environ.get("PLANNER_DEBUG"):
            raise
        found = [fault for file in inputs.files for fault in _faults(format, replace(inputs, files=(file,)))]
        raise InputError(found or [_fault(format, inputs, error)]) from error


def _read(format: Format, inputs: Inputs) -> ExportReading:
    if inputs.files and inputs.files[0].kind == "csv" and format.signs:
        check_twins(inputs.table(), format, {}, inputs)
    return format.read(inputs) if format.read is not None else declared.read(format, inputs)


def _faults(format: Format, inputs: Inputs) -> Iterable[Fault]:
    try:
        _read(format, inputs)
    except InputError as error:
        return error.faults
    except WRONG_SHAPE as error:
        return (_fault(format, inputs, error),)
    return ()


def _fault(format: Format, inputs: Inputs, error: Exception) -> Fault:
    path = str(inputs.files[0].path)
    message = f"is not built like an export of {format.title}; it may be damaged ({type(error).__name__}: {error})"
    return Fault(path, message)
