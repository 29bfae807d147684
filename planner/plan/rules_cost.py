"""What the rules of a plan cost, and what signing nothing would: data, found by `features.what_if.rules_cost`."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class RuleCost:
    """The cheapest plan without one rule, beside the plan.

    rule : what is left out, in words (`without failover`). total_usd, to_sign_usd : of the cheapest plan without it.
    saves_usd, less_to_sign_usd : what the plan's own cost and signature are above it. unmeasured : key of plan.yaml
    that has its default value, where the rule rests on one that somebody must have measured.
    """

    rule: str
    total_usd: float
    to_sign_usd: float
    saves_usd: float
    less_to_sign_usd: float
    unmeasured: str = ""

    @property
    def total_with_usd(self) -> float:
        """Cost of the plan with the rule: the one that the rule is set beside."""
        return self.total_usd + self.saves_usd

    @property
    def signed_with_usd(self) -> float:
        """What that plan signs."""
        return self.to_sign_usd + self.less_to_sign_usd


@dataclass(frozen=True)
class Nothing:
    """Signing nothing today: what is owed stays owed, the rest is bought on demand or by the hour.

    total_usd : its cost over the horizon; None: the demand cannot be served that way at all, or it was not tried.
    broken : the rules that it breaks, in words; empty: it keeps every rule. units_usd, on_demand_usd, egress_usd :
    parts of the cost, units being what is owed and what is bought by the hour.
    """

    total_usd: float | None
    broken: tuple[str, ...] = ()
    units_usd: float = 0.0
    on_demand_usd: float = 0.0
    egress_usd: float = 0.0
    tried: bool = True


class Deadlines(StrEnum):
    """Other deadlines of the work that can wait."""

    NONE = "none"  # served in the hour in which it arises
    TWICE = "twice"
    WEEK = "week"


@dataclass(frozen=True)
class WaitingCost:
    """The cheapest plan with other deadlines; total_usd None: there is none. to_sign_usd : of that plan."""

    deadlines: Deadlines
    total_usd: float | None
    to_sign_usd: float = 0.0


@dataclass(frozen=True)
class RulesCost:
    """The cost of each rule, the dearest first, and of signing nothing.

    total_usd, to_sign_usd : of the plan that the rules are left out of; with a weight on risk, total_usd here and of
    rules and deadlines is what was minimised. any_size : it is the cheapest for units of any
    size, not the plan itself, and so are the plans without a rule; whole units are a rule then, beside the plan itself.
    skipped : why nothing was worked out, a sentence; blank: it was. waiting : the cheapest plans with other deadlines;
    empty: nothing can wait.
    """

    rules: tuple[RuleCost, ...]
    nothing: Nothing
    total_usd: float = 0.0
    to_sign_usd: float = 0.0
    any_size: bool = False
    skipped: str = ""
    waiting: tuple[WaitingCost, ...] = ()

    def with_deadlines(self, deadlines: Deadlines) -> WaitingCost | None:
        """Return the plan with other deadlines, if it was tried."""
        return next((cost for cost in self.waiting if cost.deadlines is deadlines), None)

    @property
    def deciding(self) -> tuple[RuleCost, ...]:
        """Rules without which something else would be signed or paid."""
        return tuple(r for r in self.rules if r.saves_usd > 0 or abs(r.less_to_sign_usd) > 0)
