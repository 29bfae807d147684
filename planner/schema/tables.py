"""The input tables: their names, rows, keys, and which of them a plan cannot do without."""

from dataclasses import dataclass

from planner.schema.base import Row
from planner.schema.capacity import Commitment, Offer, OnDemand, Pool, Throughput
from planner.schema.places import Model, Region, Route
from planner.schema.workloads import Demand, Mix, Scenario, Workload


@dataclass(frozen=True)
class Table:
    """One input table."""

    name: str
    row: type[Row]
    key: tuple[str, ...]  # columns that together name a row; empty: rows may repeat
    required: bool
    meaning: str


TABLES: tuple[Table, ...] = (
    Table("regions", Region, ("region",), True, "where demand arises and capacity is bought"),
    Table("models", Model, ("model",), True, "models that can serve requests"),
    Table("workloads", Workload, ("workload",), True, "kinds of request: tokens, cache, headroom, residency"),
    Table("mix", Mix, ("workload", "model"), True, "models that may serve a workload, with shares"),
    Table("scenarios", Scenario, ("scenario",), False, "possible futures; none: one of probability 1"),
    Table(
        "demand",
        Demand,
        ("region", "workload", "scenario", "period", "hour_of_week"),
        True,
        "requests per hour of the week",
    ),
    Table("pools", Pool, ("pool",), False, "reserved capacity bought as one thing in one region"),
    Table("throughput", Throughput, ("pool", "model", "meter"), False, "what one unit of a pool serves of a model"),
    Table("offers", Offer, ("offer",), False, "prices at which units can be committed for a term"),
    Table("commitments", Commitment, (), False, "units bought earlier, already owed"),
    Table("on_demand", OnDemand, ("region", "model", "option"), False, "pay-as-you-go prices and quotas"),
    Table("routes", Route, ("origin", "destination"), False, "pairs of regions between which requests may travel"),
)
TABLE = {table.name: table for table in TABLES}
