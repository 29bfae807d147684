"""JSON documents as rows: an API's pages and buckets, laid flat, each page once."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from planner.features.demand.export_findings import ExportFinding
from planner.features.demand.formats.format import Inputs, Sample
from planner.features.demand.source_files import fail

DOCUMENT = "document_"  # number of the document that a row is from


def rows_of(document: Any, path: Sequence[str], whole: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """Yield a document's rows.

    At each step of ``path`` is a list; what stands beside the list is every row's own. ``whole`` are objects that stay
    JSON text. A document that is one item of the first list (a bucket alone, one a line) is taken as it is.
    """
    if not isinstance(document, dict):
        raise TypeError(f"where an object should be, there is {str(document)[:40]!r}")
    if not path:
        yield _flat(document, whole)
        return
    below = document.get(path[0])
    if below is None and path[0] in document:
        raise TypeError(f"{path[0]} is null where a list should be")
    if below is None and len(path) > 1 and isinstance(document.get(path[1]), list):
        yield from rows_of(document, path[1:], whole)
        return
    if below is None:
        yield _flat(document, whole)
        return
    beside = _flat({name: value for name, value in document.items() if name != path[0]}, whole)
    if not isinstance(below, list):
        raise TypeError(f"{path[0]} is no list: {str(below)[:40]!r}")
    for item in below:
        for row in rows_of(item, path[1:], whole):
            yield {**beside, **row}


def _flat(node: dict[str, Any], whole: Sequence[str] = (), before: str = "") -> dict[str, Any]:
    """Return nested objects as dotted names; lists are left out: they hold no count of ours."""
    flat: dict[str, Any] = {}
    for name, value in node.items():
        if isinstance(value, dict) and name in whole:
            flat[name] = json.dumps(value)
        elif isinstance(value, dict):
            flat |= _flat(value, whole, f"{before}{name}.")
        elif not isinstance(value, list):
            flat[f"{before}{name}"] = value
    return flat


def first_row(sample: Sample, path: Sequence[str]) -> dict[str, Any]:
    """Return the first row of a sample's document, by which its format is known; empty where it has none."""
    document = sample.document
    if path and isinstance(document, dict) and isinstance(document.get(path[0]), list):
        for item in document[path[0]]:
            for row in rows_of(item, path[1:]):
                return row
        return {}
    return next(iter(rows_of(document, path)), {})


def is_empty_page(document: Any) -> bool:
    """Tell a page on which nothing was used: no buckets, or buckets without results."""
    if not isinstance(document, dict) or not isinstance(document.get("data"), list) or "has_more" not in document:
        return False
    return not any(item.get("results", item) if isinstance(item, dict) else item for item in document["data"])


def frame_of(inputs: Inputs, path: Sequence[str], whole: Sequence[str] = ()) -> pd.DataFrame:
    """Return every document's rows as a frame of numbers and texts, with ``filename`` and ``document_``."""
    rows = []
    for number, (file, document) in enumerate(inputs.documents):
        if not isinstance(document, dict) or (
            path and not any(isinstance(document.get(name), list) for name in path) and len(path) > 1
        ):
            shown = f"{{{path[0]}: [...]}}" if path else "{...}"
            raise fail(file.path, "holds a JSON document that is no page of usage", allowed=shown)
        own = {"filename": file.path.name, DOCUMENT: number}
        rows += [{**row, **own} for row in rows_of(document, path, whole)]
    frame = pd.DataFrame(rows)
    for name in frame.columns:
        kinds = {type(value) for value in frame[name] if value is not None and value == value}
        if kinds <= {int, float} and kinds:
            frame[name] = frame[name].astype(float)
        elif name != DOCUMENT:
            texts = [None if value is None or value != value else str(value) for value in frame[name]]
            frame[name] = pd.Series(texts, index=frame.index, dtype="string")
    return frame


def each_page_once(
    frame: pd.DataFrame, counts: Sequence[str], key: Sequence[str]
) -> tuple[pd.DataFrame, tuple[ExportFinding, ...]]:
    """Count a bucket that several documents have once, from the document that has most of it; parts of one add up.

    Parameters
    ----------
    counts : columns of numbers that are summed.
    key : columns that say which bucket and group a row is; rows of one document that agree in them are parts of one.
    """
    if frame.empty:
        return frame, ()
    findings: list[ExportFinding] = []
    filled = frame[list(key)].astype("string").fillna("")
    labels = filled.agg("|".join, axis=1) if len(key) else pd.Series("", index=frame.index)
    whole = frame.drop(columns=[DOCUMENT, "filename"]).astype("string").fillna("").agg("|".join, axis=1)
    within = pd.DataFrame({"key": labels, "document": frame[DOCUMENT], "row": whole})
    copies = within.duplicated()
    again = within.duplicated(["key", "document"], keep=False)
    alike = within[again].groupby(["key", "document"])["row"].agg(["nunique", "size"])
    same, parts = int((alike["nunique"] < alike["size"]).sum()), int((alike["nunique"] > 1).sum())
    if copies.any() and same >= parts:
        frame, within = frame[~copies], within[~copies]
        findings.append(ExportFinding("duplicate", int(copies.sum())))
    if parts:
        findings.append(ExportFinding("parts", int(again.sum()), tuple(label[:120] for label, _ in alike.index[:3])))
    size = frame[list(counts)].fillna(0.0).sum(axis=1)
    by_document = size.groupby([within["key"], within["document"]]).sum()
    ranked = by_document.sort_values(ascending=False, kind="stable").reset_index()
    best = ranked.drop_duplicates("key").set_index("key")["document"]
    kept = within["document"] == within["key"].map(best)
    if not kept.all():
        gone = frame[~kept]
        findings.append(ExportFinding("duplicate", len(gone), tuple(within.loc[gone.index, "key"].str[:60].head(3))))
    merged: dict[str, ExportFinding] = {}
    for found in findings:
        before = merged.get(found.rule)
        merged[found.rule] = (
            found if before is None else ExportFinding(found.rule, before.count + found.count, found.examples)
        )
    return frame[kept], tuple(merged.values())


def unfinished(inputs: Inputs, key: str) -> tuple[str, ...]:
    """Say so when the last page of a file announces more that is not there."""
    last = {file.path: document for file, document in inputs.documents if isinstance(document, dict)}
    return tuple(
        f"{path.name}: the last page says that more follow; fetch them too"
        for path, page in last.items()
        if _says_more(page, key)
    )


def _says_more(page: dict[str, Any], key: str) -> bool:
    value: Any = page
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return bool(value)
