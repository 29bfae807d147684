"""One entry of the ledger: who signed which plan, when, for how much; and the line of text that it is kept as.

An entry's ``sha256`` is the SHA-256 of its line without that key, and ``previous`` is the ``sha256`` of the entry
before. So a line that is edited, taken out, put in or moved no longer fits, unless every line after it is made anew,
and then the last hash, the *head*, is another. The head written on the purchase order shows also that.

An entry keeps which of its fields its line tells, and is laid out again with those only: a planner that knows more
fields finds the same hash.
"""

import datetime as dt
import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from planner.io.digest import seal_of, sealed

START = "0" * 64  # `previous` of the first entry
Hash = Field(pattern=r"^[0-9a-f]{64}$")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Bought(_Frozen):
    """One purchase that was signed: units of an offer, from start to end (first day no longer in force)."""

    offer: str
    pool: str
    region: str
    units: float
    start: dt.date
    end: dt.date
    usd_per_unit_hour: float
    horizon_usd: float  # of it inside the plan's months
    term_usd: float


class Entry(_Frozen):
    """What was signed. ``files`` are the SHA-256 of the plan's files by name, from its directory."""

    format: int = 1  # of the line; 1: planner 0.1.0, which did not write it
    entry: int = Field(ge=1)
    previous: str = Hash
    date: dt.date
    by: str
    note: str | None
    plan: str
    directory: str  # of the plan, seen from the ledger's own, with /
    first_month: str
    last_month: str
    status: str
    input_sha256: str = Hash
    plan_sha256: str = Hash  # of plan.json
    total_usd: float
    committed_horizon_usd: float
    committed_term_usd: float
    bought: tuple[Bought, ...]
    files: dict[str, str]
    commitments_sha256: str | None = None  # of the table of all that the plan owes; None: nothing, or not known
    commitments_beside: bool = False  # whether it was written beside the plan, as commitments.csv, when it was signed

    def line(self) -> str:
        """Lay the entry out as its line, without line end."""
        content = self.model_dump(mode="json", exclude_unset=True)
        return sealed(_text(content))

    @property
    def sha256(self) -> str:
        """Hash of the entry: SHA-256 of its line without this key."""
        found = seal_of(self.line())
        assert found is not None
        return found[0]


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(", ", ": "))


def money(usd: float) -> float:
    """Dollars as the ledger keeps them: to the cent."""
    return round(usd, 2) + 0.0
