"""Open a page for the meeting: move a slider, and see at once what the plan would cost.

    planner explore my-plan
    planner explore my-plan -o reports/meeting
    planner explore my-plan --no-browser --port 8600

Sliders and switches change demand, rules, prices, quotas and what can be bought. The cost for units of any size follows
each change at once, the plan in whole units a moment later. Cases are kept by name, laid side by side and saved as a
study (what `planner what-if -o` writes); the plan of a case is written with its workbook.
The page is on this machine alone (127.0.0.1), behind an address that nobody can guess; it loads nothing from elsewhere,
and writes only into the directory of -o. Ctrl-C ends it. It needs the extra: pip install ".[explore]".
Exit codes: 0 ended by Ctrl-C, 1 wrong use or input.
"""

import argparse
import importlib.util
from pathlib import Path

from planner.console.arguments import folder_name, refuse_unusable, share
from planner.errors import EXIT_PLAN, PlannerError

MOST_PORT = 65535
MOST_NAMES = 8


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("input", type=Path, metavar="FOLDER|FILE.xlsx", help="planning folder or workbook")
    told = "directory for the study and exported plans (default: reports/<plan name>-explore)"
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help=told)
    parser.add_argument("--port", type=_port, default=0, metavar="N", help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--no-browser", action="store_true", help="print the address, open no browser")
    parser.add_argument("--gap", type=share, default=1e-4, help="relative gap accepted for whole units (default 1e-4)")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > MOST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a whole number from 0 (any free one) to {MOST_PORT}")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Read the folder, open the page, serve it until Ctrl-C."""
    if importlib.util.find_spec("nicegui") is None:
        raise PlannerError('planner explore needs NiceGUI: pip install "llm-reservation-planner[explore]"')
    from planner.features.what_if.explore.house import House
    from planner.features.what_if.explore.keeping import kept_before
    from planner.features.what_if.explore.page import app_of
    from planner.features.what_if.explore.server import bound, serve
    from planner.io.cache import FOLDER
    from planner.readers import load
    from planner.solver.find import Options

    case = load(arguments.input)
    directory = (arguments.output or Path("reports") / f"{folder_name(case.settings.name)}-explore").absolute()
    refuse_unusable(directory)
    kept = kept_before(case, directory)
    house = House(case, directory, Options(arguments.gap, store=directory / FOLDER), kept)
    own, address = bound(arguments.port)

    def ready() -> None:
        print(f"{case.settings.name}: open {address.url}", flush=True)
        print(f"Only this machine can, with this address. Studies go to {directory}. Ctrl-C ends it.", flush=True)
        if kept:
            names = ", ".join(
                [*(case.name for case in kept[:MOST_NAMES]), *(["..."] if len(kept) > MOST_NAMES else [])]
            )
            print(f"That study holds {len(kept)} {'case' if len(kept) == 1 else 'cases'} already: {names}", flush=True)
        if not arguments.no_browser:
            import webbrowser

            webbrowser.open(address.url)

    with own:
        serve(app_of(house, address), own, address, ready)
    print("ended")
    return EXIT_PLAN
