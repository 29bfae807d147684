"""A caution, and what the rules ask of a case."""

from collections.abc import Iterable
from dataclasses import dataclass

from planner.schema.case import Case
from planner.schema.workloads import Workload


@dataclass(frozen=True)
class Caution:
    """Something valid that is probably not meant, or will cost.

    `severity` is "risk" (a plan may not exist, fail or mislead) or "cost" (it will probably cost more than it need).
    """

    code: str
    severity: str
    where: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}. {self.remedy}."


def workload_named(case: Case, name: str) -> Workload:
    """Find a workload by its name."""
    return next(w for w in case.workloads if w.workload == name)


def with_demand(case: Case) -> list[Workload]:
    """List the workloads that have demand."""
    names = set(case.demand["workload"].unique())
    return [w for w in case.workloads if w.workload in names]


def origins(case: Case) -> list[str]:
    """List the regions where demand arises."""
    return sorted(map(str, case.demand["region"].unique()))


def pairs(case: Case) -> list[tuple[str, str]]:
    """List the origins and workloads that have demand."""
    found = case.demand[["region", "workload"]].drop_duplicates().astype(str)
    return sorted(found.itertuples(index=False, name=None))


def listed(names: Iterable[str]) -> str:
    """Join a few names; many are cut."""
    all_names = list(names)
    more = f" and {len(all_names) - 4} more" if len(all_names) > 4 else ""
    return ", ".join(all_names[:4]) + more
