"""Batch requests in an export: they are a workload of their own, for they can wait.

Where an export marks requests as batch (OpenAI's `batch`, `service_tier` batch, a meter's name in a bill), their
workload is the export's with " batch" behind it. A workload of that name that is new in a planning folder gets kind
`batch` and the deadline that sellers promise for such requests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

BATCH = " batch"  # behind a workload's name
DEADLINE_HOURS = 24  # within which OpenAI, Azure, AWS, Google and Anthropic say a batch is answered


@dataclass(frozen=True)
class BatchMark:
    """A column of an export, and its values (in lower case) that mark a batch request."""

    column: str
    values: tuple[str, ...]


def is_batch(workload: str) -> bool:
    """Whether a workload is what an export marked as batch."""
    return workload.endswith(BATCH)


def marked(table: Any, marks: Sequence[BatchMark], workload: Any, fallback: Any) -> Any:
    """Workload of each row of a lazy table: marked where the row is; ``fallback``: where it has no name."""
    import ibis

    there = [
        table[mark.column].cast("string").strip().lower().isin(mark.values)
        for mark in marks
        if mark.column in table.columns
    ]
    if not there:
        return workload
    batch = there[0].fill_null(False)
    for more in there[1:]:
        batch = batch | more.fill_null(False)
    return ibis.cases((batch, workload.coalesce(fallback) + BATCH), else_=workload)


def note_of(workloads: Sequence[str]) -> tuple[str, ...]:
    """Say which workloads are batch, if some are."""
    names = sorted({name for name in workloads if is_batch(name)})
    if not names:
        return ()
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return (
        f"requests that the export marks as batch are workloads of their own: {shown}. They can wait: new in a "
        f"planning folder, they have deadline_hours {DEADLINE_HOURS}",
    )


def with_deadlines(workloads: pd.DataFrame, new: Sequence[str]) -> pd.DataFrame:
    """Give batch workloads that are new in a folder their kind and deadline."""
    mine = workloads["workload"].isin([name for name in new if is_batch(name)])
    if not mine.any():
        return workloads
    for column, value in (("kind", "batch"), ("deadline_hours", str(DEADLINE_HOURS))):
        given = workloads[column] if column in workloads else pd.Series("", index=workloads.index)
        workloads = workloads.assign(**{column: given.where(~mine, value)})
    return workloads
