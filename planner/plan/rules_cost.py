"""What the rules of a plan cost, and what signing nothing would: data, found by `features.what_if.rules_cost`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RuleCost:
    """The cheapest plan without one rule, beside the plan.

    rule : what is left out, in words (`without failover`). total_usd, to_sign_usd : of the cheapest plan without it.
    saves_usd, less_to_sign_usd : what the plan's own cost and signature are above it. unmeasured : key of plan.yaml
    whose default nobody has set, where the rule rests on one.
    """

    rule: str
    total_usd: float
    to_sign_usd: float
    saves_usd: float
    less_to_sign_usd: float
    unmeasured: str = ""


@dataclass(frozen=True)
class Nothing:
    """Signing nothing today: what is owed stays owed, the rest is bought on demand or by the hour.

    total_usd : its cost over the horizon; None: the demand cannot be served that way at all. broken : the rules that
    it breaks, in words; empty: it keeps every rule.
    """

    total_usd: float | None
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class RulesCost:
    """The cost of each rule, the dearest first, and of signing nothing."""

    rules: tuple[RuleCost, ...]
    nothing: Nothing

    @property
    def deciding(self) -> tuple[RuleCost, ...]:
        """Rules without which something else would be signed or paid."""
        return tuple(r for r in self.rules if r.saves_usd > 0 or abs(r.less_to_sign_usd) > 0)
