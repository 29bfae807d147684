"""The command line: finds the command, runs it, and turns every error into words and an exit code.

Exit codes: 0 plan (or the command did its work), 1 wrong use or input, 2 no plan exists, 3 stopped before a plan,
4 an order that breaks a rule.
"""

import argparse
import difflib
import gc
import importlib
import io
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from types import FrameType, ModuleType

from planner.console.screen import wrapped
from planner.errors import EXIT_PLAN, EXIT_STOPPED, EXIT_WRONG, InputError, PlannerError
from planner.io.shown import printable, redacted, shown_streams
from planner.versions import VERSION

# name, module (configure(parser) and run(arguments) -> int), one line of help
COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("solve", "commands.solve", "find the cheapest plan of a planning folder and write it with its workbook"),
    ("check", "commands.check", "read a planning folder, list faults and common mistakes"),
    ("verify", "commands.verify", "check a finished plan from its files alone"),
    (
        "resolve",
        "features.resolve.command",
        "solve again against the last plan: what changes line by line, and why the cost changed",
    ),
    ("price", "features.order.command", "price a purchase order as edited by procurement, against the optimum"),
    (
        "accept",
        "features.ledger.accept_command",
        "sign a plan: its purchases become commitments of the next folder, and the ledger gets an entry",
    ),
    (
        "hand-over",
        "features.hand_over.command",
        "write an accepted plan as Terraform and LiteLLM files to review, with the order of things",
    ),
    (
        "ledger",
        "features.ledger.ledger_command",
        "list the signed plans, and check that neither they nor the ledger were changed",
    ),
    (
        "review",
        "features.review.command",
        "compare a plan with what happened: cost, peaks, forecast, and what to keep, drop, raise or lower",
    ),
    ("tasks", "features.tasks.command", "what a task costs month by month, why that changed, and alerts"),
    (
        "chargeback",
        "features.tasks.chargeback_command",
        "what each team is charged month by month, with idle capacity on a line of its own",
    ),
    ("mix", "features.mix.command", "what a shift between small, mid and frontier models would cost or save"),
    (
        "what-if",
        "features.what_if.command",
        "what a change in policy, demand, prices or offers would do to the plan, side by side",
    ),
    (
        "explore",
        "features.what_if.explore.explore_command",
        "open a page for the meeting: move a slider and see what the plan would cost",
    ),
    ("init", "commands.init", "write a commented, runnable starter folder or workbook"),
    ("ingest", "features.demand.commands.ingest", "turn usage exports, logs or a database into an hourly history"),
    (
        "profile",
        "features.demand.commands.profile",
        "show what a history looks like: hour of week, peaks, outages; make scenarios of real weeks",
    ),
    (
        "forecast",
        "features.demand.commands.forecast",
        "turn a history into the demand of a planning folder, with the forecast's measured accuracy",
    ),
    (
        "demand",
        "features.demand.commands.new_demand",
        "create the demand of a new deployment that has no history (demand new)",
    ),
    ("backtest", "features.demand.commands.backtest", "replay a history: what each buying rule would have cost"),
    (
        "offers",
        "features.catalogue.commands",
        "what providers sell: list, build a folder of offers, check, update, break-even",
    ),
    ("schema", "commands.schema", "print every input table: columns, units, defaults"),
    ("completion", "completion", "print a script that completes commands and options in your shell"),
)


Handler = Callable[[int, FrameType | None], None]  # of a signal
ANSWER_SECONDS = 1.0  # for the main thread to hear a signal
AGAIN_SECONDS = 0.02  # until an interrupt that was dropped comes once more
_SHOW_CURSOR = "\r\x1b[2K\x1b[?25h"
_SOLVERS = ("planner.solver.", "planner.verify.")


_UNKNOWN = "unrecognized arguments: "  # argparse
_NO_CHOICE = re.compile(
    r"argument (?P<of>\S+): invalid choice: (?P<quote>['\"])(?P<word>.*)(?P=quote) \(choose from (?P<all>.*)\)"
)
_ACTION = "action"  # what a command calls its subcommands


class _Parser(argparse.ArgumentParser):
    """argparse, with the exit code 1 for wrong use (its own 2 means here that no plan exists)."""

    def error(self, message: str) -> None:  # type: ignore[override]
        wrong = _NO_CHOICE.fullmatch(message)
        names = [name.strip("'") for name in wrong["all"].split(", ")] if wrong else []
        if wrong and wrong["of"].casefold() == _ACTION:
            self.exit(EXIT_WRONG, f"{_no_command(self.prog, wrong['word'], names)}\n")
        near = difflib.get_close_matches(wrong["word"], names, n=1) if wrong else []
        meant = f"; did you mean {near[0]!r}?" if near else self._meant(message)
        self.print_usage(sys.stderr)
        self.exit(EXIT_WRONG, f"{self.prog}: {message}{meant}\n")

    def _meant(self, message: str) -> str:
        """Guess which option was meant by one that is not known; blank where none is near."""
        head, unknown, words = message.partition(_UNKNOWN)
        known = sorted(set(re.findall(r"--[a-z][\w-]*", self.format_help())))
        wrong = [word.split("=")[0] for word in words.split() if word.startswith("--")]
        near = [hit for word in wrong for hit in difflib.get_close_matches(word, known, n=1)]
        return f"; did you mean {' and '.join(near)}?" if unknown and not head and near else ""


def _no_command(prog: str, word: str, names: Sequence[str]) -> str:
    """Say that a word is no command, or none of a command's own, and which was meant."""
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    listed = "`planner` alone lists them." if prog == "planner" else f"choose from {', '.join(names)}"
    return f"{prog}: there is no command {word!r}; {f'did you mean {near[0]!r}?' if near else listed}"


def _overview() -> argparse.ArgumentParser:
    width = max(len(name) for name, _, _ in COMMANDS)
    listing = "\n".join(f"  {name:<{width}}  {line}" for name, _, line in COMMANDS)
    parser = _Parser(
        prog="planner",
        description="Plan reserved LLM capacity: how many units to commit to, what to leave to on demand.",
        epilog=f"commands:\n{listing}\n\n`planner COMMAND --help` explains each.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"planner {VERSION}")
    parser.add_argument("command", metavar="COMMAND", choices=[name for name, _, _ in COMMANDS])
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


def main(argv: Sequence[str] | None = None, begun: Callable[[argparse.Namespace], None] = lambda _: None) -> int:
    """Run one command; ``begun`` is given its arguments before it runs."""
    words = list(sys.argv[1:] if argv is None else argv)
    overview = _overview()
    if not words:
        overview.print_help()
        return EXIT_PLAN
    if not words[0].startswith("-") and words[0] not in (names := [name for name, _, _ in COMMANDS]):
        print(_no_command("planner", words[0], names), file=sys.stderr)
        return EXIT_WRONG
    chosen = overview.parse_args(words)
    module = next(where for name, where, _ in COMMANDS if name == chosen.command)
    command = importlib.import_module(f"planner.{module}")
    parser = _Parser(
        prog=f"planner {chosen.command}",
        description=command.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.configure(parser)
    arguments = parser.parse_args(chosen.arguments)
    begun(arguments)
    with shown_streams(), _light_strings():  # names come from outside: a terminal obeys none of them
        return _run(command, arguments)


def _light_strings() -> AbstractContextManager[object]:
    """Keep texts of frames as Python's strings while a command runs, where it works with pandas at all.

    pandas keeps them as Arrow's where pyarrow is installed; on tables of a few hundred rows each of its thousand small
    steps then converts them: a quarter of the processor time of a small plan. What is written is the same.
    """
    pandas = sys.modules.get("pandas")
    return nullcontext() if pandas is None else pandas.option_context("mode.string_storage", "python")


def _run(command: ModuleType, arguments: argparse.Namespace) -> int:
    """Run a command; its errors become words and exit codes."""
    try:
        code: int = command.run(arguments)
        sys.stdout.flush()
        return code
    except InputError as error:
        count = len(error.faults)
        print(f"{count} fault{'s' if count != 1 else ''} in the input; nothing was written:", file=sys.stderr)
        for fault in error.faults:
            print(wrapped(f"  {_shown(fault)}", sys.stderr), file=sys.stderr)
        return error.exit_code
    except PlannerError as error:
        print(_shown(error), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        with suppress(OSError):  # a terminal that hung up takes no words
            print(_interrupted(arguments), file=sys.stderr)
        return EXIT_STOPPED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_WRONG
    except MemoryError:
        print("out of memory: plan fewer months, scenarios or regions at once", file=sys.stderr)
        return EXIT_STOPPED
    except OSError as error:
        print(_shown(f"{error.filename or 'file system'}: {error.strerror or error}"), file=sys.stderr)
        return EXIT_WRONG
    except Exception as error:
        if getattr(arguments, "stopped", False):
            print(_interrupted(arguments), file=sys.stderr)
            return EXIT_STOPPED
        if os.environ.get("PLANNER_DEBUG"):
            raise
        print(
            f"an error in planner itself, not in your input: {type(error).__name__}: {_shown(error)}\n"
            "Set PLANNER_DEBUG=1 to see where, and please report it.",
            file=sys.stderr,
        )
        return EXIT_WRONG


def _shown(error: object) -> str:
    """Return an error's text without secrets, and without what a terminal obeys: names in it come from outside."""
    return printable(redacted(str(error)))


def _interrupted(arguments: argparse.Namespace) -> str:
    """Say what a stopped command has written: `written` is set by those that know (console.arguments)."""
    written = getattr(arguments, "written", None)
    if written is None:
        return "interrupted; every file is as it was, or new and whole"
    if not written:
        return "interrupted; nothing was written"
    return f"interrupted after {' and '.join(str(path) for path in written)} was written"


class Stops:
    """Ctrl-C, SIGTERM and SIGHUP end a command with a word and nothing half written, inside the solver too.

    Python hears a signal only when the solver gives control back, which one long search may do minutes later. So a
    thread waits for signals as well, and ends the process where the main thread does not answer one, or is still at
    work for the solver after it did.
    """

    def __init__(self) -> None:
        self.arguments = argparse.Namespace(written=())  # until a command begins
        self._ended = False
        self._answered = threading.Event()  # the main thread heard a signal, or has nothing left to do
        self._numbers: set[int] = set()
        self._number = int(signal.SIGINT)  # the last one heard
        self.watchers = 0

    def begin(self, before: Handler | None = None) -> None:
        """Take the signals that nobody else handles or ignores (nohup), and watch for them; in the main thread.

        ``before`` : what handled them while modules were loaded.
        """
        for name, usual in (("SIGINT", signal.default_int_handler), ("SIGTERM", signal.SIG_DFL),
                            ("SIGHUP", signal.SIG_DFL)):  # fmt: skip
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) in (usual, before or usual):
                signal.signal(number, self._heard)
                self._numbers.add(number)
        if hasattr(signal, "pthread_kill"):  # Windows: a wake-up takes a socket
            ears, told = os.pipe()
            os.set_blocking(told, False)
            signal.set_wakeup_fd(told, warn_on_full_buffer=False)
            threading.Thread(target=self._watch, args=(ears,), daemon=True).start()
            self.watchers = 1

    def end(self) -> None:
        """Leave what comes now to the main thread, which is about to end: all is done, so there is nothing to stop."""
        self._ended = True
        self._answered.set()

    def _heard(self, number: int, frame: FrameType | None) -> None:
        self._answered.set()
        self._number = number
        if self._ended:
            return
        self.arguments.stopped = True  # a library that is loading makes an error of its own of the interrupt
        raise KeyboardInterrupt

    def unraisable(self, what: "sys.UnraisableHookArgs") -> None:
        """Keep silent of what fails while objects are cleared away; but a stop that came to lie there comes once more.

        A disk that was full is full there again, which is said already. An interrupt that Python raises in the call of
        a weak reference, or while an object is cleared away, is dropped there: the command would go on to its end.
        """
        if not self._ended and isinstance(what.exc_value, KeyboardInterrupt):
            with suppress(RuntimeError):  # Python itself is ending
                threading.Timer(AGAIN_SECONDS, self._once_more).start()
        elif os.environ.get("PLANNER_DEBUG"):
            sys.__unraisablehook__(what)

    def _once_more(self) -> None:
        if hasattr(signal, "pthread_kill") and (main_thread := threading.main_thread().ident) is not None:
            signal.pthread_kill(main_thread, self._number)  # wakes it, wherever it waits
        else:
            signal.raise_signal(self._number)

    def _watch(self, ears: int) -> None:
        """End the process where a signal that is ours is not heard by the main thread: it is inside the solver."""
        while True:
            number = os.read(ears, 1)[0]
            if number not in self._numbers:
                continue
            if self._answered.wait(ANSWER_SECONDS):  # something else may have caught it: does the solver go on?
                time.sleep(ANSWER_SECONDS)
            if self._ended or signal.getsignal(number) != self._heard or not _in_solver():
                continue  # what does not answer at once elsewhere has files to put in place first
            screen = sys.__stderr__
            with suppress(OSError, ValueError):
                if screen is not None:
                    shown = _SHOW_CURSOR if screen.isatty() else ""  # a bar had hidden it
                    print(f"{shown}{_shown(_interrupted(self.arguments))}", file=screen, flush=True)
            os._exit(EXIT_STOPPED)


def _in_solver() -> bool:
    """Whether the main thread is at work for the solver, where no file is being written."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None:
        if str(frame.f_globals.get("__name__")).startswith(_SOLVERS):
            return True
        frame = frame.f_back
    return False


def _run_to_end(stops: Stops, before: Handler | None) -> int:
    """Run one command; a stop while its modules are still loading has the same words as one that comes later."""
    try:
        stops.begin(before)
        code = main(begun=lambda arguments: setattr(stops, "arguments", arguments))
        stops.end()
    except (KeyboardInterrupt, Exception) as error:
        stops.end()  # who presses Ctrl-C twice is told once
        if not isinstance(error, KeyboardInterrupt) and not getattr(stops.arguments, "stopped", False):
            raise
        with suppress(OSError):
            print(_shown(_interrupted(stops.arguments)), file=sys.stderr)
        return EXIT_STOPPED
    return code


def entry(before: Handler | None = None) -> None:
    """Run one command and end the process; objects are left to the system, which takes them back at once.

    ``before`` : as in `Stops.begin`.
    """
    stops = Stops()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # an encoding that lacks a letter prints its number
            stream.reconfigure(errors="backslashreplace")
    sys.unraisablehook = stops.unraisable
    gc.set_threshold(100_000, 50, 1000)  # a workbook's cells all live until the end: seldom look for what does not
    code = _run_to_end(stops, before)
    gc.freeze()
    if threading.active_count() > 1 + stops.watchers:  # stopped while a thread was inside the solver: it goes on
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    entry()
