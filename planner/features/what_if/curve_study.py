"""Trade-off curves of a study: each curve for units of any size, and plans in whole units beside it as cases."""

from collections.abc import Sequence
from dataclasses import replace

from planner.errors import StoppedError
from planner.features.what_if.case_change import CaseChange, changed
from planner.features.what_if.curve import Curve, Dot
from planner.features.what_if.parameter import Parameter
from planner.features.what_if.study import Elsewhere, Progress, Study, what_if
from planner.features.what_if.study_files import with_curves
from planner.features.what_if.trade_off import trade_off, weighed_by
from planner.model.index_tables import sets_of
from planner.schema.case import Case
from planner.solver.find import Options

MOST_KINKS = 1  # breakpoints whose values are solved in whole units, where none are asked for


def add_curves(
    case: Case, study: Study, parameters: Sequence[Parameter], options: Options, *, base: CaseChange | None,
    every: bool, progress: Progress, elsewhere: Elsewhere | None = None,
) -> Study:  # fmt: skip
    """Draw curves and add them to a study, with the cases in whole units that they need.

    Parameters
    ----------
    base : what is changed besides the number. every : find also breakpoints that hardly move the cost.
    elsewhere : who answers the cases in whole units; None: this machine.

    Raises
    ------
    InputError : the folder does not know a number, or not that value of it.

    A curve for which the time limit ran out is among those left out.
    """
    base = None if base == CaseChange("") else base
    curves: list[Curve] = []
    for number, parameter in enumerate(parameters):
        now = options.share(4 * (len(parameters) - number))  # a curve, and some plans in whole units
        try:
            with progress(f"curve of {parameter.name}") as told:
                curve = trade_off(case, parameter, base=base, every=every, until=now.until, progress=told)
        except StoppedError:
            study = replace(study, left_out=(*study.left_out, f"curve of {parameter.name}"))
            continue
        whole = sets_of(case if base is None else changed(case, base)).has_size_rules
        known = {curve.now} if base is None and study.base.possible else set()
        dots = [parameter.named(value, base) for value in values_of_dots(curve, whole) if value not in known]
        have = {answer.change for answer in study.cases}
        asked = [dot for dot in dots if dot not in have]
        study = what_if(case, asked, options.share(len(parameters) - number), progress, study, elsewhere)
        curves.append(with_dots(curve, study, base, weighed_by(case, base)))
    return with_curves(study, curves, study.curves)


def values_of_dots(curve: Curve, whole: bool) -> list[float]:
    """Values at which whole units are solved: those asked for, else ends, the folder's own, and the sharpest bends."""
    asked = curve.parameter.values
    if not asked:
        if not whole or not curve.points:
            return []
        bends = []
        for k in range(1, len(curve.points) - 1):
            if k in curve.stretches and k - 1 in curve.stretches:
                bends.append((abs(curve.slope_usd(k) - curve.slope_usd(k - 1, at_end=True)), curve.points[k].value))
        sharp = [value for _, value in sorted(bends, reverse=True)[:MOST_KINKS]]
        now = [curve.now] if curve.now is not None else []
        asked = (curve.points[0].value, *sharp, *now, curve.points[-1].value)
    inside = {float(f"{v:.6g}") for v in asked}
    return sorted(v for v in inside if curve.usd(v) is not None)


def with_dots(curve: Curve, study: Study, base: CaseChange | None, weight: float) -> Curve:
    """Put the cases of a study that lie on the curve beside it.

    ``weight`` : of the dearest scenarios against the expected cost, where it is not what the curve moves.
    """
    dots: dict[float, Dot] = {}
    for answer in study.answers:
        stands = answer is study.base and base is None
        value = curve.now if stands else _value_of(curve.parameter, answer.change, base)
        if value is None or answer.total_usd is None or not curve.parameter.first <= value <= curve.parameter.last:
            continue
        own = value if curve.parameter.base_key == "risk.weight" else weight
        more = 0.0 if answer.tail_usd is None else own * (answer.tail_usd - answer.total_usd)
        dots[value] = Dot(value, answer.total_usd + more, answer.bound_usd or 0.0)
    return replace(curve, dots=tuple(dot for _, dot in sorted(dots.items())))


def _value_of(parameter: Parameter, change: CaseChange, base: CaseChange | None) -> float | None:
    """Return the number's value in a case that changes only it (and what ``base`` changes); None: another case."""
    values = [text for key, text in change.set if key == parameter.key]
    values += [f"{f.factor:.17g}" for f in change.scale if str(f).rpartition("=")[0] == parameter.key]
    for text in values[-1:]:
        try:
            value = float(text)
        except ValueError:
            return None
        made = parameter.change(value, base)
        same = replace(change, name="", set=_numbers(change.set)) == replace(made, name="", set=_numbers(made.set))
        return value if same else None
    return None


def _numbers(settings: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Write numbers one way, so that 0.3 and 0.29999999999999999 are one."""

    def one(text: str) -> str:
        try:
            return f"{float(text):.12g}"
        except ValueError:
            return text

    return tuple((key, one(text)) for key, text in settings)
