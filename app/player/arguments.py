"""Checks of values that scripts and files give: numbers are finite, points have three of them.

A number that is not finite would otherwise travel far before it is noticed: a camera at NaN draws
an empty picture, and a clock that was set to NaN never runs again.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable, Mapping
from typing import Any

from streamstgs.app.player.errors import ArgumentError

Vector = tuple[float, float, float]
FARTHEST = 1e9  # world units; no number of a scene is larger either
SHOWN_CHARACTERS = 60  # of a wrong value in a message
_COMPARED = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_KINDS = {
    "float": "a number",
    "int": "a whole number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
}


def finite(name: str, value: Any) -> float:
    """A value as a float. Raises ArgumentError unless it is a finite number.

    Args:
        name: Of the value, for the message.
    """
    number = _number(value)
    if number is None:
        raise ArgumentError(f"{name} is {_shown(value)}; it must be a finite number.")
    return number


def within(name: str, value: Any, low: float, high: float) -> float:
    """A value as a float. Raises ArgumentError unless it is a number from `low` to `high`."""
    number = _number(value)
    if number is None or not low <= number <= high:
        raise ArgumentError(f"{name} is {_shown(value)}; it must be {low:g} to {high:g}.")
    return number


def whole(name: str, value: Any) -> int:
    """A value as an int. Raises ArgumentError unless it is a whole number, such as 2 or 2.0."""
    number = _number(value)
    if number is None or number != int(number):
        raise ArgumentError(f"{name} is {_shown(value)}; it must be a whole number.")
    try:
        return operator.index(value)  # exact, also beyond the precision of floats
    except TypeError:
        return int(number)


def point(name: str, value: Any) -> Vector:
    """Three numbers as floats, from any sequence, array or tensor of them.

    Raises:
        ArgumentError: The value is something else, or a number is not finite or out of reach of
            float32.
    """
    numbers = None
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        numbers = [_number(one) for one in value]
    if numbers is None or len(numbers) != 3 or None in numbers:
        raise ArgumentError(f"{name} is {_shown(value)}; it must be three finite numbers.")
    x, y, z = (float(one) for one in numbers if one is not None)
    if max(abs(x), abs(y), abs(z)) > FARTHEST:
        raise ArgumentError(f"{name} is {_shown(value)}; it must be within {FARTHEST:g}.")
    return (x, y, z)


def size(name: str, value: Any) -> tuple[int, int]:
    """Width and height as whole numbers. Raises ArgumentError if the value is something else."""
    sides = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else []
    if len(sides) != 2:
        raise ArgumentError(f"{name} is {_shown(value)}; it must be (width, height).")
    return whole(f"The width of {name}", sides[0]), whole(f"The height of {name}", sides[1])


def in_words(error: Exception, names: Mapping[str, str] | None = None) -> str:
    """What msgspec found wrong with data, for people who know neither it nor JSON paths.

    Args:
        error: Such as "Expected `float` > 0.0 - at `$.fps`", which becomes "fps must be more
            than 0".
        names: What to call parts of the data, by their paths, instead of their names there.
    """
    text, _, place = str(error).partition(" - at `$")
    path = place.removesuffix("`").removeprefix(".")
    name = (names or {}).get(path, path) or "it"
    if limit := re.fullmatch(r"Expected `\w+` (>=|<=|>|<) (\S+)", text):
        return f"{name} must be {_COMPARED[limit[1]]} {float(limit[2]):.15g}"
    if length := re.fullmatch(r"Expected `(\w+)` of length (>=|<=) (\d+)", text):
        one, many = ("character", "characters") if length[1] == "str" else ("entry", "entries")
        part = one if length[3] == "1" else many
        return f"{name} must have {_COMPARED[length[2]]} {length[3]} {part}"
    if kind := re.fullmatch(r"Expected `([\w |]+)`, got `\w+`", text):
        kinds = [_KINDS[one] for one in kind[1].split(" | ") if one in _KINDS]
        return f"{name} must be {' or '.join(kinds) or kind[1]}"
    if missing := re.fullmatch(r"Object missing required field `(\w+)`", text):
        return f"{name} needs {(names or {}).get(missing[1], missing[1])}"
    if choice := re.fullmatch(r"Invalid enum value (.+)", text):
        return f"{name} cannot be {choice[1]}"
    return f"{path}: {text}" if path else text


def _number(value: Any) -> float | None:
    """A finite number as a float; None for everything else."""
    if isinstance(value, str | bytes):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # the last is of tensors
        return None
    return number if math.isfinite(number) else None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
