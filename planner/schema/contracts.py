"""Contracts on money: a spend commitment, of which what is not spent is paid all the same."""

from pydantic import model_validator

from planner.schema.base import Flag, PeriodName, Row, column, name_column
from planner.schema.workloads import ANY_REGION


class SpendCommitment(Row):
    """An amount that must be spent in some periods and regions (MACC, EDP, a provider's commit or spend band)."""

    contract: str = name_column("name of the contract")
    usd: float = column(meaning="to be spent in its periods; what is not spent is paid all the same", unit="USD", ge=0)
    first_period: PeriodName | None = column(None, meaning="first period that counts", blank="first of the horizon")
    last_period: PeriodName | None = column(None, meaning="last period that counts", blank="last of the horizon")
    regions: str | None = column(
        None, meaning="regions whose spend counts, names joined by ;", blank="all", refers_to="regions.region"
    )
    counts_on_demand: Flag = column(True, meaning="on-demand tokens count (egress does not)")
    counts_reserved: Flag = column(True, meaning="new and earlier commitments and unreserved units count")

    @model_validator(mode="after")
    def _counts_something(self) -> "SpendCommitment":
        if not self.counts_on_demand and not self.counts_reserved:
            raise ValueError(
                "counts_on_demand and counts_reserved are both false, so nothing could ever be spent on it"
            )
        return self

    @property
    def counted_regions(self) -> frozenset[str] | None:
        """Regions whose spend counts; None where that of all does."""
        names = frozenset(part.strip() for part in (self.regions or "").split(";") if part.strip())
        return None if not names or {name.casefold() for name in names} == {ANY_REGION} else names
