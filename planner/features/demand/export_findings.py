"""What was wrong in an export, and by which rule it was kept out or repaired."""

from dataclasses import asdict, dataclass
from typing import Any

KEPT_OUT, REPAIRED, NOTED = "kept out", "repaired", "noted"

# name -> (what happens, what the rule says); docs/demand.md prints this table
RULES: dict[str, tuple[str, str]] = {
    "no_time": (
        KEPT_OUT,
        "the time is blank or cannot be read (what can: 2027-01-31T08:00:00Z, 2027-01-31 08:00, seconds since 1970)",
    ),
    "future": (KEPT_OUT, "the time lies after the moment of the ingest (or --until)"),
    "long_ago": (KEPT_OUT, "the time lies before 2015 (usually an empty clock), or before --since"),
    "negative": (KEPT_OUT, "a count below zero"),
    "too_large": (
        KEPT_OUT,
        "a count that is no number (text that the file's own way of writing numbers does not explain), or above 1e15",
    ),
    "null_tokens": (KEPT_OUT, "neither input nor output tokens are given (nor, in a bucket, requests)"),
    "failed": (KEPT_OUT, "the request failed: nothing was served"),
    "response_cache": (KEPT_OUT, "answered from the gateway's own response cache: it never reached a model"),
    "no_call": (KEPT_OUT, "a span that is no call of a model: its usage, if it has any, is that of the calls inside"),
    "duplicate": (
        KEPT_OUT,
        "the same request id, the same bucket of the same series, or the same hours of a log, again; counted once, its "
        "largest",
    ),
    "overlap": (KEPT_OUT, "hours that several exports cover: counted once, from the export that has most in the hour"),
    "wrapping_span": (KEPT_OUT, "the span wraps others that report their usage themselves (an agent's run): its sum"),
    "total_row": (KEPT_OUT, "the row is the sum of the others (a total): it has no name where they have one"),
    "unreadable_line": (KEPT_OUT, "the line does not have the header's columns"),
    "null_as_zero": (REPAIRED, "a count is blank that other rows have: taken as 0"),
    "cached_above_input": (
        REPAIRED,
        "more cached or written tokens than input: fresh input taken as 0 (where input leaves them out, say "
        "cached_in_input: false in the map)",
    ),
    "cached_apart": (
        REPAIRED,
        "more cached or written tokens than input in so many rows that the input leaves them out: fresh input is the "
        "input itself (cached_in_input: true in the map says otherwise)",
    ),
    "total_differs": (NOTED, "the export's own total is not the sum of its counts: one of them is wrong"),
    "fractional": (NOTED, "a count that is no whole number: tokens and requests have no parts"),
    "parts": (NOTED, "buckets alike in every name and with other counts: parts of one whole, which are added"),
    "alike": (NOTED, "requests equal in every column, without ids that would tell copies: each counts"),
    "not_read": (NOTED, "series or values of a kind that is not read: no tokens and no requests, or a name not known"),
    "counter_reset": (
        REPAIRED,
        "a counter fell (a restart): what it shows since is counted, what it lost is not known",
    ),
    "counter_gap": (REPAIRED, "scrapes are missing: the counter's rise is spread evenly over the hours between"),
    "repeated_hour": (
        REPAIRED,
        "local times of the hour that the clock repeats in autumn: split over its two UTC hours",
    ),
    "skipped_hour": (
        NOTED,
        "local times in the hour that the clock skips in spring do not exist: moved on by one hour",
    ),
    "missing_hours": (
        NOTED,
        "hours inside the span without any row: zeros where silence is usual, else unknown (--quiet-hours)",
    ),
}


@dataclass(frozen=True)
class ExportFinding:
    """One rule that struck: how often (rows, samples or hours), and a few examples."""

    rule: str
    count: int
    examples: tuple[str, ...] = ()

    @property
    def action(self) -> str:
        """What the rule did: kept out, repaired or noted."""
        return RULES[self.rule][0]

    @property
    def meaning(self) -> str:
        """What the rule says."""
        return RULES[self.rule][1]

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as it is stored in the report."""
        return {**asdict(self), "examples": list(self.examples), "action": self.action, "meaning": self.meaning}
