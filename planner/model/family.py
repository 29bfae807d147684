"""A family of constraints as one declaration: what every other room knows of a rule, it reads from here.

What the rows themselves show (which columns they tie together, with which signs) is read from the assembled rows
(`model.structure`). Declared is only what they cannot show, and each default is the safe one: a family that says
nothing ties everything together, and every reduction that changes a column of its rows is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from planner.model.columns import Columns
from planner.model.rows import Rows
from planner.model.sets import Floats, Sets


class Spans(Enum):
    """What one row of a family may tie together. The tests hold it against the assembled rows."""

    SLOT = "flows of one slot, and deployments of its period"
    METER = "purchases and deployments of one pool and meter"
    WEEK = "flows of one need over the hours of a week, in one period and scenario"
    PERIOD = "flows of one period, all that share a row in it"
    PART = "anything of one part: the family is stated for each part by itself"
    EVERYTHING = "everything"


class Reduction(Enum):
    """A way to make the programme smaller, as the claim that it rests on.

    It is not used where some family has rows that touch what it changes and does not declare the claim.
    """

    SCENARIOS = "no row tells scenarios apart, so slots of several may be one"
    SLOTS = (
        "two slots of one scenario of equal demand and prices have the same rows; a row over many slots weighs each by "
        "its weeks"
    )
    ARCS = "a flow may move to an arc that serves the same need by the same model no farther away"
    SIZES = "a purchase or deployment larger than `largest_sizes` may be lowered to it"
    RAYS = "rows on stress flows are among those that `reduce.stress` projects onto the deployed units"
    FOLLOWS = "purchases are whole by themselves once deployments are"


EVERY_REDUCTION = frozenset(Reduction) - {Reduction.RAYS}


class Asked(Enum):
    """Who would have to give way, and how dear that is when the least change of the input is looked for."""

    BUYER = 1.0  # what the buyer decides alone is changed first,
    SELLER = 1.5  # then what the seller has to grant,
    PROMISE = 20.0  # then what is promised to the workloads,
    FAILOVER = 200.0  # also while a region is lost,
    DEMAND = 5000.0  # and last of all what is asked


@dataclass(frozen=True)
class Cell:
    """The cell of the input that the bound of a row is written in: a larger upper bound or a smaller lower one helps.

    table, column, unit : where a person finds it; in plan.yaml the column is a dotted path.
    key : columns of the table that tell its row, each with the name under which `sets.names_of` has it. ():  there is
        one such cell.
    asked : of whom a change is asked.
    per_unit : what one more unit of the cell adds to a row's bound, one number a row. None: 1.
    """

    table: str
    column: str
    unit: str
    key: tuple[tuple[str, str], ...] = ()
    asked: Asked = Asked.BUYER
    per_unit: Callable[[Sets, Rows], Floats] | None = None


class Relaxed(Enum):
    """What may be changed of a family's rows where there is no plan, if it is no cell of the input."""

    ROWS = "the bound of each row, which is told by the names of the row"
    NEVER = "nothing: other rules decide whether they can be kept"


SETTINGS = "plan.yaml"


@dataclass(frozen=True)
class Family:
    """A family of constraints.

    name : as in `Rows.family`. rule : number in the model, or a word.
    rows : states the rows; its docstring has the rule, the algebra and the unit.
    spans : what a row may tie together. Rows that span everything are left out at first: if the optima of the parts
        keep them, they are the optimum of the whole.
    dual : meaning of a row's dual, with its unit.
    relaxed_by : what may be changed where there is no plan: the cell that the bounds are written in, or `Relaxed`.
    of_demand : whether the bounds are parts of the demand of the rows' needs, so that they fall if less is asked.
    of_stress : whether its rows are on the flows of the stress cases (`constraints.stress`).
    by_arrival : whether its rows are of the hour in which demand arises: work that can wait may be served in another.
    allows : reductions whose claim holds for these rows.
    kinds : names of the prices of a row's lower and upper bound in certificate.parquet ("": no such price is stated).
        None: the family's name, with `_floor` and `_cap`.
    """

    name: str
    rule: str
    rows: Callable[[Sets, Columns], Rows]
    dual: str
    spans: Spans = Spans.EVERYTHING
    relaxed_by: Cell | Relaxed = Relaxed.ROWS
    of_demand: bool = False
    of_stress: bool = False
    by_arrival: bool = False
    allows: frozenset[Reduction] = frozenset()
    kinds: tuple[str, str] | None = None

    @property
    def price_kinds(self) -> tuple[str, str]:
        """Names of the prices of a lower and of an upper bound."""
        return (f"{self.name}_floor", f"{self.name}_cap") if self.kinds is None else self.kinds
