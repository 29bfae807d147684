"""Ways as arrays, need after need, so that what they cost is worked out for many of them at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from planner.plan.audit.linear_rule import Way
from planner.plan.flows import Bools, Floats
from planner.plan.frames import Ints


@dataclass(frozen=True)
class Load:
    """What ways load as their first, second, ... meter: way, deployment, units of a request, usable share."""

    way: Ints
    deployment: Ints
    units: Floats
    usable: Floats


@dataclass(frozen=True)
class WayArrays:
    """Ways of every need, those of one need beside each other: of need n from first[n] to before first[n + 1].

    The columns are those of `Way`.
    """

    ways: Sequence[Way]
    first: Ints
    need: Ints
    origin: Ints
    region: Ints
    model: Ints
    usd: Floats
    egress_usd: Floats
    gb_in: Floats
    gb_out: Floats
    away: Bools
    sure: Bools
    quota: Ints
    tokens_per_minute: Floats
    latest_hours: Ints
    loads: tuple[Load, ...]

    @classmethod
    def of(cls, listed: Mapping[int, Sequence[Way]], needs: int) -> "WayArrays":
        """Put the ways of `ways_of` side by side."""
        each = [listed.get(need, ()) for need in range(needs)]
        ways = [way for own in each for way in own]
        count = [len(own) for own in each]

        def whole(name: str) -> Ints:
            return np.fromiter((getattr(way, name) for way in ways), np.int64, len(ways))

        def real(name: str) -> Floats:
            return np.fromiter((getattr(way, name) for way in ways), float, len(ways))

        def flag(name: str) -> Bools:
            return np.fromiter((getattr(way, name) for way in ways), np.bool_, len(ways))

        return cls(
            ways, np.concatenate([[0], np.cumsum(count, dtype=np.int64)]), np.repeat(np.arange(needs), count),
            whole("origin"), whole("region"), whole("model"), real("usd"), real("egress_usd"), real("gb_in"),
            real("gb_out"), flag("away"), flag("sure"), whole("quota"), real("tokens_per_minute"),
            whole("latest_hours"), tuple(_loads(ways)),
        )  # fmt: skip

    def least_by_need(self, usd: Floats, able: Bools) -> Floats:
        """Least of a number of each way, over the ways of each need that are able; inf: there is none."""
        value = np.append(np.where(able, usd, np.inf), np.inf)  # a need without ways that is the last begins there
        found: Floats = np.where(np.diff(self.first) > 0, np.minimum.reduceat(value, self.first[:-1]), np.inf)
        return found


def _loads(ways: Sequence[Way]) -> Iterator[Load]:
    for nth in range(max((len(way.loads) for way in ways), default=0)):
        rows = [(k, *way.loads[nth]) for k, way in enumerate(ways) if len(way.loads) > nth]
        way, deployment, units, usable = zip(*rows, strict=True)
        yield Load(np.array(way), np.array(deployment), np.array(units, float), np.array(usable, float))
