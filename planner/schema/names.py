"""Names that are nearly right."""

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the most similar known name: ``; did you mean 'eu-west'?``, or nothing where none is close."""
    names = {option.casefold(): option for option in known}
    close = difflib.get_close_matches(name.casefold()[:80], names, n=1, cutoff=0.6)
    return f"; did you mean {names[close[0]]!r}?" if close else ""
