"""XlsxWriter's error for a file that cannot be written, as the system's own."""

from collections.abc import Iterator
from contextlib import contextmanager

from xlsxwriter.exceptions import FileCreateError


@contextmanager
def told_as_os_error() -> Iterator[None]:
    """Raise an OSError where XlsxWriter raises its FileCreateError, which is none."""
    try:
        yield
    except FileCreateError as error:
        cause = error.args[0] if error.args else None
        raise (cause if isinstance(cause, OSError) else OSError(str(error))) from None
