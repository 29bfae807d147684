"""The console script: a stop while Python still loads the command ends it with a word, not with a traceback.

Loading takes some tenths of a second, and people press Ctrl-C in them when they see that they typed the wrong folder.
Nothing is imported here that Python has not loaded before; `Stops` of the command line takes the signals over.
"""

import os
import signal
from types import FrameType

WORDS = b"interrupted; nothing was written\n"


def entry() -> None:
    """Take the signals that nobody else handles or ignores (nohup), then run one command."""
    for name, usual in (("SIGINT", signal.default_int_handler), ("SIGTERM", signal.SIG_DFL),
                        ("SIGHUP", signal.SIG_DFL)):  # fmt: skip
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is usual:
            signal.signal(number, _stopped)
    from planner import cli

    cli.entry(before=_stopped)


def _stopped(number: int, frame: FrameType | None) -> None:
    """End at once: nothing has begun."""
    try:
        os.write(2, WORDS)
    finally:
        os._exit(3)  # errors.EXIT_STOPPED
