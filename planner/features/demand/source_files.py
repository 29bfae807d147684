"""Source files: what kind they are, whether they are whole, and their documents.

Tabular files (CSV, JSON lines, Parquet, each may be gzipped but Parquet) are left to the engine, which reads them out
of core. JSON documents and Prometheus text are small by nature (an API's pages) and are read whole, up to a limit.
"""

import csv
import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.errors import Fault, InputError
from planner.readers.csv_files import refuse_long_lines

DELIMITERS = ",;\t|"
HIDDEN = (".", "_")  # also Spark's: _SUCCESS, _delta_log
HEAD_BYTES = 1 << 16
WHOLE_LIMIT_BYTES = 1 << 27  # of a JSON document, decompressed: as Python objects it takes several times as much
LONGEST_LINE_BYTES = 1 << 23  # of a table; of its header, an eighth of it
MOST_COLUMNS = 10_000
BOMB_RATIO, BOMB_PROBE_BYTES = 300, 1 << 26  # usage logs compress 5 to 60 times; deflate's limit is about 1000


@dataclass(frozen=True)
class SourceFile:
    """A file and its kind: ``csv``, ``jsonl``, ``parquet``, ``json`` (documents) or ``text`` (Prometheus)."""

    path: Path
    kind: str
    head: str = ""


def fail(path: Path | str, message: str, **more: Any) -> InputError:
    """Return the error for one file."""
    return InputError([Fault(str(path), message, **more)])


def list_sources(arguments: list[str]) -> list[SourceFile]:
    """Resolve files and folders of files, and look into each; all unusable ones are reported at once."""
    paths: list[Path] = []
    faults: list[Fault] = []
    for argument in arguments:
        path = Path(argument)
        inside = (
            sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith(HIDDEN)) if path.is_dir() else []
        )
        if path.is_dir() and not inside:
            faults.append(Fault(argument, "the folder has no files"))
        elif not path.exists():
            faults.append(Fault(argument, "does not exist"))
        elif not path.is_dir() and not path.is_file():
            faults.append(Fault(argument, "is a pipe or a device; save what it gives to a file first"))
        paths += inside or ([path] if path.is_file() else [])
    sources = []
    for path in paths:
        try:
            sources.append(look_into(path))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    return sources


def look_into(path: Path) -> SourceFile:
    """Tell a file's kind from its first bytes, never from its name alone."""
    size = path.stat().st_size
    if size == 0:
        raise fail(path, "is empty (0 bytes)")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head[:4] == b"PAR1":
        _check_parquet_end(path, size)
        return SourceFile(path, "parquet")
    if head[:4] == b"PK\x03\x04":
        raise fail(path, "is a zip archive (or a workbook); unpack it and give the files inside")
    zipped = head[:2] == b"\x1f\x8b"
    if zipped:
        head = _gzip_head(path)
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise fail(path, "is UTF-16 text, as PowerShell and Excel write it; save it as UTF-8")
    if b"\x00" in head[:4096]:
        raise fail(path, "is a binary file of no known kind", allowed="CSV, JSON, JSON lines, Parquet, Prometheus text")
    try:
        text = head.decode("utf-8-sig", errors="strict" if len(head) < HEAD_BYTES else "ignore")
    except UnicodeDecodeError as error:
        raise fail(path, f"is not UTF-8 text: {error}; save it as UTF-8") from error
    if not text.strip():
        raise fail(path, "holds nothing but blanks")
    kind = _text_kind(text)
    if kind in ("csv", "jsonl") and not zipped:
        _check_lines(path)
    if kind in ("csv", "jsonl") and zipped != (path.suffix == ".gz"):
        now = "is compressed by gzip" if zipped else "is not compressed"
        raise fail(path, f"{now}, but its name says otherwise; rename it", value=path.name, allowed=".gz for gzip only")
    return SourceFile(path, kind, text)


def _check_lines(path: Path) -> None:
    """Refuse a table with a line, or with columns, that no log has."""
    refuse_long_lines(path, LONGEST_LINE_BYTES)
    with path.open("rb") as file:
        first = file.readline(LONGEST_LINE_BYTES // 8 + 1)
        if len(first) > LONGEST_LINE_BYTES // 8:
            raise fail(path, "begins with a line of over 1 MB; a table of usage begins with its columns' names")
        columns = max(first.count(sign.encode()) for sign in DELIMITERS) + 1
        if columns > MOST_COLUMNS and not first.startswith(b"{"):
            raise fail(path, f"has {columns:,} columns; at most {MOST_COLUMNS:,} are read")


def columns_of_head(file: SourceFile) -> list[str]:
    """Return the column names of a table from its first line, or Parquet's footer; none where it has none."""
    if file.kind == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return list(pq.read_schema(file.path).names)
        except (pa.ArrowException, OSError):
            return []
    if file.kind in ("json", "jsonl"):
        try:
            first = json.JSONDecoder().raw_decode(file.head.lstrip().lstrip("["))[0]
        except ValueError:
            return []
        return list(first) if isinstance(first, dict) else []
    header = file.head.partition("\n")[0].partition("\r")[0]  # lines may end as on an old Macintosh
    sign = max(DELIMITERS, key=header.count)
    return [name.strip() for name in next(csv.reader([header], delimiter=sign), [])]


def _check_parquet_end(path: Path, size: int) -> None:
    with path.open("rb") as file:
        file.seek(max(0, size - 4))
        if size < 12 or file.read(4) != b"PAR1":
            raise fail(path, "is a truncated Parquet file: its footer is missing; export it again")


def _gzip_head(path: Path) -> bytes:
    """Return the first bytes of a gzip file; refuse what is corrupt, empty, or blows up beyond any log."""
    try:
        with path.open("rb") as raw, gzip.GzipFile(fileobj=raw) as file:
            head = file.read(HEAD_BYTES)
            probed = len(head)
            while probed < BOMB_PROBE_BYTES and (chunk := file.read(1 << 20)):
                probed += len(chunk)
            read = raw.tell()
    except (OSError, EOFError, zlib.error) as error:
        raise fail(path, f"is a corrupt or truncated gzip file: {error}; fetch it again") from error
    if not head:
        raise fail(path, "is a gzip file with nothing in it")
    if probed > BOMB_RATIO * max(read, 1):
        raise fail(path, f"unpacks to over {BOMB_RATIO} times its size, as no usage log does; it is not read")
    return head


def _text_kind(text: str) -> str:
    start = text.lstrip()
    if start[0] in "[{":
        lines = [line for line in start.splitlines() if line.strip()]
        one_a_line = len(lines) > 1 and all(line.lstrip()[0] == "{" and line.rstrip()[-1] == "}" for line in lines[:2])
        return "jsonl" if one_a_line else "json"
    first_data = next((line for line in start.splitlines() if line.strip() and not line.startswith("#")), "")
    name = first_data.split("{")[0].split(" ")[0]
    has_comment = start.startswith(("# HELP", "# TYPE")) or "\n# TYPE " in start[:4096]
    if has_comment or ("{" in first_data and '="' in first_data and "," not in name):
        return "text"
    return "csv"


def read_text(path: Path) -> str:
    """Read a text file whole, gzipped or not, up to the limit."""
    with path.open("rb") as probe:
        zipped = probe.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if zipped else path.open("rb") as file:
            data = file.read(WHOLE_LIMIT_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise fail(path, f"is corrupt or truncated: {error}") from error
    if len(data) > WHOLE_LIMIT_BYTES:
        raise fail(path, "is above 128 MB as one JSON document; export it month by month, or as CSV or Parquet")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise fail(path, f"is not UTF-8 text: {error}") from error


def documents(path: Path) -> Iterator[Any]:
    """Yield the JSON documents of a file: one, several behind each other (an API's pages), or the items of a list."""
    text, decoder, at = read_text(path), json.JSONDecoder(), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            document, at = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError) as error:
            line = text.count("\n", 0, getattr(error, "pos", 0)) + 1
            raise fail(path, f"is not whole JSON (truncated or corrupt): {error}", row=line) from error
        yield from document if isinstance(document, list) else [document]
