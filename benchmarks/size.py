"""How large a planning folder of the benchmark is."""

from dataclasses import dataclass

HOURS = 168
NEIGHBOURS = 3  # each side, where routes are sparse


@dataclass(frozen=True)
class Size:
    """What a folder holds.

    models_per_workload : above 1, a workload may be served by that many models (itself and the next ones).
    sparse : routes to the nearest regions only, in place of all pairs.
    """

    regions: int
    models: int
    months: int = 1
    scenarios: int = 1
    whole_units: bool = False
    failover: bool = True
    sparse: bool = False
    models_per_workload: int = 1
    seed: int = 1

    @property
    def name(self) -> str:
        """A name for tables and directories."""
        parts = [f"{self.regions}x{self.models}"]
        parts += [f"{self.months}m"] if self.months > 1 else []
        parts += [f"{self.scenarios}s"] if self.scenarios > 1 else []
        parts += ["whole"] if self.whole_units else []
        parts += ["no-n1"] if not self.failover else []
        parts += ["sparse"] if self.sparse else []
        parts += [f"mix{self.models_per_workload}"] if self.models_per_workload > 1 else []
        return "-".join([*parts, *([f"seed{self.seed}"] if self.seed != 1 else [])])

    def arguments(self) -> list[str]:
        """Spell the size for `python -m benchmarks.folders`."""
        numbers = ("regions", "models", "months", "scenarios", "models_per_workload", "seed")
        words = [part for name in numbers for part in (f"--{name.replace('_', '-')}", str(getattr(self, name)))]
        flags = {"--whole-units": self.whole_units, "--no-failover": not self.failover, "--sparse": self.sparse}
        return [*words, *(flag for flag, chosen in flags.items() if chosen)]

    def literal_columns(self) -> int:
        """Serving variables of the literal programme: priced, with headroom, and with each region lost in turn."""
        reach = min(2 * NEIGHBOURS + 1, self.regions) if self.sparse else self.regions
        one = self.regions * reach * self.models * self.models_per_workload * 2 * HOURS * self.months * self.scenarios
        lost = self.regions * (1 - 1 / self.regions) if self.failover else 0.0
        return round(one * (2 + lost))
