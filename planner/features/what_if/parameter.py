"""The number that a trade-off curve moves: what may be asked, how a case takes a value of it, and its words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter

from planner.errors import Fault, InputError, nearest
from planner.features.what_if.asked import grid_cases, grid_of, number_of
from planner.features.what_if.case_change import SHARES, CaseChange, share_of
from planner.features.what_if.case_factors import DISCOUNT, TARGETS
from planner.schema.case import Case
from planner.workbook.text_tables import percent, usd


@dataclass(frozen=True)
class _Words:
    """What a key is called, what one step of it is, and how a value is shown.

    step : in the key's unit. more : the step in words. rises : whether a larger value can only make the cheapest
    plan dearer (True) or cheaper (False), for it only forbids or allows plans, or moves prices one way; None: either.
    """

    name: str
    step: float
    more: str
    show: Callable[[float], str]
    rises: bool | None = None


def _point(name: str, rises: bool | None = None) -> _Words:
    return _Words(name, 0.01, f"one more point of {name}", lambda value: percent(value, 4).replace(".0000", ""), rises)


def _times(value: float) -> str:
    return f"× {value:.6g}"


_BUDGET = 1000.0
_WORDS: Mapping[str, _Words] = {
    "headroom": _point("headroom", True),
    "reserved_headroom": _point("headroom of reserved units", True),
    "failover.on_demand_trust": _point("trust in on demand", False),
    "failover.share": _point("the share that must survive a lost region", True),
    "failover_share": _point("the share that must survive a lost region", True),
    "failover.headroom": _point("headroom while a region is lost", True),
    "guaranteed_share": _point("guaranteed share", True),
    "egress.max_cross_region_share": _point("the share that may be served in another region", False),
    "max_commitment_usd": _Words("budget in the plan's months", _BUDGET, f"{usd(_BUDGET)} more to commit", usd, False),
    "max_commitment_whole_term_usd": _Words("budget over whole terms", _BUDGET, f"{usd(_BUDGET)} more to commit", usd,
                                            False),
    "risk.weight": _point("weight of the dearest scenarios", True),
    "risk.level": _point("the level of risk"),
    "tail_value": _point("the tail that is not counted", False),
    "demand": _Words("demand", 0.01, "1 % more demand", _times),
    "on_demand_prices": _Words("on-demand prices", 0.01, "1 % on on-demand prices", _times, True),
    "price_factors": _Words("price factors", 0.01, "1 % on price factors", _times, True),
    "scaled_prices": _Words("prices of units by the hour", 0.01, "1 % on prices of units by the hour", _times, True),
    "scaled_units": _Words("units that run by the hour", 0.01, "1 % more units that run by the hour", _times, False),
    "quotas": _Words("quotas", 0.01, "1 % more quota", _times, False),
    "offer_prices": _Words("offer prices", 0.01, "1 % on offer prices", _times, True),
    DISCOUNT: _point("discount", False),
}  # fmt: skip
KEYS = tuple(_WORDS)


@dataclass(frozen=True)
class Parameter:
    """A number of the input and its range: ``key`` as `--grid` takes it. values : those asked for, in whole units."""

    key: str
    first: float
    last: float
    values: tuple[float, ...] = ()

    @property
    def base_key(self) -> str:
        """The key without the part that it is of."""
        return self.key.partition("[")[0].strip().removeprefix("policy.").removeprefix("workloads.")

    @property
    def _words(self) -> _Words:
        return _WORDS[self.base_key]

    @property
    def name(self) -> str:
        """What people call it: headroom, demand of chat."""
        part = self.key.partition("[")[2].rstrip("] ")
        return self._words.name + (f" ({part})" if part else "")

    @property
    def rises(self) -> bool | None:
        """Whether more of it can only cost more (True) or less (False); None: either."""
        return self._words.rises

    @property
    def step(self) -> float:
        """What `one_more` is, in its unit."""
        return self._words.step

    @property
    def one_more(self) -> str:
        """One step of it in words."""
        return self._words.more

    def show(self, value: float) -> str:
        """Show a value."""
        return self._words.show(value)

    def change(self, value: float, base: CaseChange | None = None) -> CaseChange:
        """Return the change that gives it a value, beside what ``base`` changes."""
        return grid_cases([(self.key, [f"{value:.17g}"])], base)[0]

    def named(self, value: float, base: CaseChange | None = None) -> CaseChange:
        """Return the same as a case of a study, named as `--grid` names it."""
        short = f"{value:.12g}"
        besides = f" with {base}" if base is not None else ""
        return replace(grid_cases([(self.key, [short])], base)[0], name=f"{self.key}={short}{besides}")

    def now(self, case: Case) -> float | None:
        """Return its value as the folder stands; None where it has none, or several."""
        key = self.base_key
        if key in TARGETS:
            return None if key == DISCOUNT else 1.0
        share = share_of(self.key)
        if share is None:
            value = attrgetter(key)(case.settings.policy)
            return None if value is None else float(value)
        own = {"guaranteed_share": lambda w: w.guaranteed_share, "failover_share": case.failover_share,
               "headroom": case.headroom, "reserved_headroom": case.reserved_headroom}[share[0]]  # fmt: skip
        found = {float(own(w)) for w in case.workloads if share[1] in (None, w.workload)}
        return found.pop() if len(found) == 1 else None


def parameter_of(text: str) -> Parameter:
    """Read ``headroom=0.1:0.5`` or, with the values to be solved in whole units, ``headroom=0.1:0.5:0.1``.

    Raises
    ------
    ValueError : it cannot be read; the text says what is allowed.
    """
    key, equals, span = text.rpartition("=")
    key = key.strip()
    parts = span.split(":")
    if not equals or not key or len(parts) not in (2, 3):
        raise ValueError("cannot be read: write KEY=FROM:TO, such as headroom=0.1:0.5")
    first, last = number_of(parts[0].strip()), number_of(parts[1].strip())
    if last <= first:
        raise ValueError("the range ends where it begins, or before: write KEY=FROM:TO with the smaller number first")
    values = tuple(float(value) for value in grid_of(span)) if len(parts) == 3 else ()
    found = Parameter(key, first, last, values)
    if found.base_key not in _WORDS:
        known = ", ".join((*KEYS, *(f"{share}[workload=...]" for share in SHARES[1:])))
        raise ValueError(f"no curve of {found.base_key!r}{nearest(found.base_key, KEYS)}: there are curves of {known}")
    return found


def parameters_of(texts: list[str]) -> list[Parameter]:
    """Read several.

    Raises
    ------
    InputError : every fault at once.
    """
    found, faults = [], []
    for text in texts:
        try:
            found.append(parameter_of(text))
        except ValueError as error:
            faults.append(Fault("--curve", str(error), value=text))
    keys = [p.key for p in found]
    faults += [Fault("--curve", "the same number is asked for twice", value=key)
               for key in dict.fromkeys(keys) if keys.count(key) > 1]  # fmt: skip
    if faults:
        raise InputError(faults)
    return found
