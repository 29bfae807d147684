"""Where the time of `planner solve` goes: the real command in one thread, with a clock around its steps.

    python -m benchmarks.phases FOLDER OUTPUT

Processor seconds, which in one thread are the wall seconds of a quiet machine. A step's time is its own: what another
step inside it takes is that one's. Prints one line of JSON.
"""

import contextlib
import importlib
import io
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any

STEPS = {
    "read": ["planner.readers.load:load"],
    "reduce": [
        "planner.model.index_tables:sets_of",
        "planner.model.reduce.components:split",
        "planner.model.reduce.slots:merge_slots",
        "planner.model.reduce.slots:prune",
    ],
    "build": ["planner.solver.continuous:open_component"],
    "solve": ["planner.solver.continuous:solve_linear", "planner.solver.whole:solve_whole"],
    "choose among equals": ["planner.solver.ties:choose_by_rule"],
    "certify": ["planner.solver.certificate:certify", "planner.solver.certificate:price_table"],
    "stress witness": ["planner.solver.component:_plan"],
    "put together": ["planner.solver.find:_plan"],
    "audit": ["planner.plan.audit.all_checks:audit"],
    "metrics": [
        "planner.verify.growth_margins:margins_of",
        "planner.plan.metrics.collect:collect",
        "planner.plan.metrics.collect:summary_of",
    ],
    "write plan": ["planner.plan.files:write_plan"],
    "write workbook": ["planner.workbook.plan_workbook:write_workbook"],
    "terminal": ["planner.workbook.terminal:print_report"],
}


class Watch:
    """Own time of each step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since = 0.0

    def around(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a function so that its time counts for a step."""

        @wraps(function)
        def timed(*args: Any, **options: Any) -> Any:
            self.turn()
            self._open.append(step)
            try:
                return function(*args, **options)
            finally:
                self.turn()
                self._open.pop()

        return timed

    def turn(self) -> None:
        """Count the time since the last turn for the innermost step."""
        now = time.process_time()
        self.seconds[self._open[-1] if self._open else "rest"] += now - self._since
        self._since = now


def _replace(function: Callable[..., Any], step: str, watch: Watch) -> None:
    """Put a clock around a function in every module that uses it."""
    timed = watch.around(step, function)
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "planner":
            for key, value in list(vars(module).items()):
                if value is function:
                    setattr(module, key, timed)


def main() -> None:
    """Time one run."""
    folder, output = sys.argv[1:3]
    start = time.process_time()
    watch = Watch()
    for place in (place for places in STEPS.values() for place in places):
        importlib.import_module(place.split(":")[0])
    importlib.import_module("planner.commands.solve")
    for step, places in STEPS.items():
        for place in places:
            module, name = place.split(":")
            _replace(getattr(sys.modules[module], name), step, watch)
    from planner.cli import main as planner

    imports = time.process_time() - start
    watch._since = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        code = planner(["solve", folder, "-o", output, "--fresh", "--workers", "1"])
    watch.turn()
    if code:
        raise SystemExit(code)
    print(json.dumps({"imports": imports, **{step: watch.seconds[step] for step in [*STEPS, "rest"]}}))


if __name__ == "__main__":
    main()
