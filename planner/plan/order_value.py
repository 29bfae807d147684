"""What each order line saves: the on-demand price of what its units serve, its utilisation and break-even."""

from dataclasses import dataclass

from planner.plan.orders import OrderLine
from planner.plan.pool_months import PoolMonth


@dataclass(frozen=True)
class OrderValue:
    """An order line with its value inside the horizon.

    usage_usd : on-demand price of what these units serve: the line's share of its pool's, month by month.
    full_usd_per_unit_hour : on-demand price of what one fully used unit-hour serves, at the mix of requests served.
    """

    line: OrderLine
    usage_usd: float
    full_usd_per_unit_hour: float

    @property
    def break_even(self) -> float | None:
        """Utilisation at which a unit costs what on demand would; None where nothing is served."""
        full = self.full_usd_per_unit_hour
        return self.line.offer.usd_per_unit_hour / full if full > 0 else None

    @property
    def utilisation(self) -> float | None:
        """Used share of the units, by value; None where nothing is served."""
        full = self.full_usd_per_unit_hour * self.line.units * self.line.hours_horizon
        return self.usage_usd / full if full > 0 else None


def order_values(lines: tuple[OrderLine, ...], months: tuple[PoolMonth, ...]) -> tuple[OrderValue, ...]:
    """Value every line."""
    return tuple(_value(line, [m for m in months if _covers(line, m)]) for line in lines)


def _covers(line: OrderLine, month: PoolMonth) -> bool:
    same = (month.pool, month.meter) == (line.offer.pool, line.offer.meter)
    return same and line.start <= month.start < line.end


def _value(line: OrderLine, covered: list[PoolMonth]) -> OrderValue:
    used = sum(m.mean_used_units * m.hours for m in covered)
    full = sum(m.served_usd for m in covered) / used if used > 0 else 0.0
    return OrderValue(line, line.units * sum(m.served_usd_per_unit for m in covered), full)
