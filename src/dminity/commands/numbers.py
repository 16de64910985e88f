"""Numbers of the command line."""

import argparse
import math
from collections.abc import Callable


def number(text: str, allowed: Callable[[float], bool], meant: str) -> float:
    """A number, or what is meant in its place.

    Raises:
        argparse.ArgumentTypeError: if it is none that is allowed.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not allowed(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not {meant}")
    return value


def whole(least: int, most: int) -> Callable[[str], int]:
    """What reads a whole number from `least` to `most`."""
    meant = f"a whole number from {least} to {most}"
    return lambda text: int(number(text, lambda value: value in range(least, most + 1), meant))


def seconds(text: str) -> float:
    """A time."""
    return number(text, lambda value: 0 < value < math.inf, "a number above 0")
