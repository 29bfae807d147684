"""What pricing parts finds: prices with what they prove, and the best plan in whole units."""

from dataclasses import dataclass, field

import numpy as np

from planner.model.sets import Floats
from planner.solver.mixture import Mixture

SAME = 1e-9  # relative: plans that cost the same


@dataclass(frozen=True)
class Priced:
    """The best prices for units of any size, what they prove (not yet exactly), and the parts' duals there."""

    prices: Floats
    bound_usd: float
    duals: tuple[Floats, ...]
    mixed: Mixture | None


@dataclass
class BestPlan:
    """The best plan in whole units so far: its cost, and the values of each part's columns; the bound at any prices."""

    usd: float = np.inf
    signed_usd: float = np.inf
    values: list[Floats] = field(default_factory=list)
    bound_usd: float = -np.inf

    def betters(self, usd: float, signed_usd: float) -> bool:
        """Whether a plan costs less, or as much and signs for less."""
        same = abs(usd - self.usd) <= SAME * abs(self.usd)
        return signed_usd < self.signed_usd if same else usd < self.usd

    def gap(self) -> float:
        """Relative gap; inf without a plan."""
        return (self.usd - self.bound_usd) / abs(self.usd) if np.isfinite(self.usd) and self.usd else np.inf
