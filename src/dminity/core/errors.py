"""The one kind of failure that a user can mend, and how its message is worded.

Each part defines its own errors beside the code that raises them, so that a new message in one
part does not make DVC rerun the others.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class DminityError(Exception):
    """Bad input: the message is one line that names the offender and the mend."""


def first_line(error: BaseException) -> str:
    r"""What a library's error says, without what follows in further lines.

    >>> first_line(ValueError("no such layer\n  at line 3"))
    'no such layer'
    """
    return str(error).strip().partition("\n")[0]


def some(names: Sequence[object], count: int) -> str:
    """The first of some names.

    >>> some(["Bed", "Sink", "Oven"], 2)
    'Bed, Sink, …'
    """
    return ", ".join(map(str, names[:count])) + (", …" if len(names) > count else "")


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?`, if something known looks like `word`, blanks and capitals aside."""
    names = {name.casefold(): name for name in known}
    close = get_close_matches(word.strip().casefold(), names, n=1)
    return f"; did you mean {names[close[0]]!r}?" if close else ""
