"""Allowed ranges of settings: declared with `annotated_types`, checked when settings are made.

    @dataclass(frozen=True)
    class SweepConfig:
        pixels: Count = 2_000
        nearest: Positive = 0.25

        def __post_init__(self) -> None:
            check_ranges(self, "points.sweep")

A value outside its range raises SettingError, which names the option, the value and the range.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Annotated, Any, get_args, get_type_hints

from annotated_types import Ge, Gt, Le, Lt
from streamstgs.trainer.errors import SettingError

Count = Annotated[int, Ge(1)]
CountOrZero = Annotated[int, Ge(0)]
Weight = Annotated[float, Ge(0)]
Positive = Annotated[float, Gt(0)]
Share = Annotated[float, Ge(0), Le(1)]
FrameRate = Annotated[float, Ge(0.01), Le(1000)]

BOUNDS = (Ge, Gt, Le, Lt)


def require(holds: bool, option: str, value: object, wanted: str) -> None:
    """Raises SettingError unless the setting `holds`; `option` is its dotted name."""
    if not holds:
        raise SettingError(f"--{option.replace('_', '-')} is {value}; it must be {wanted}")


def check_ranges(settings: Any, group: str) -> None:
    """Check every annotated number of a dataclass; None is allowed where its type allows it.

    Args:
        group: dotted name of the options' group; empty for options without one.

    Raises:
        SettingError: a number is outside its range or not finite.
    """
    kind: Any = type(settings)
    for name, bounds in _ranges(kind).items():
        value = getattr(settings, name)
        if value is None:
            continue
        holds = math.isfinite(value) and all(_holds(bound, value) for bound in bounds)
        require(holds, f"{group}.{name}" if group else name, value, _in_words(bounds))


def require_at_least(least: float, settings: object, group: str, *names: str) -> None:
    """Raises SettingError unless the named numbers of a dataclass are finite and >= `least`."""
    for name in names:
        value = getattr(settings, name)
        holds = math.isfinite(value) and value >= least
        require(holds, f"{group}.{name}" if group else name, value, _in_words((Ge(least),)))


@cache
def _ranges(kind: type[Any]) -> dict[str, tuple[Any, ...]]:
    """The bounds of each annotated field."""
    found = {n: _bounds(hint) for n, hint in get_type_hints(kind, include_extras=True).items()}
    return {name: bounds for name, bounds in found.items() if bounds}


def _bounds(hint: Any) -> tuple[Any, ...]:
    """The bounds of a type such as `Count` or `Count | None`."""
    own = tuple(b for b in getattr(hint, "__metadata__", ()) if isinstance(b, BOUNDS))
    inner = (b for part in get_args(hint) for b in _bounds(part))
    return own or tuple(inner)


def _holds(bound: Any, value: Any) -> bool:
    match bound:
        case Ge(ge=least):
            return value >= least
        case Gt(gt=below):
            return value > below
        case Le(le=most):
            return value <= most
        case Lt(lt=above):
            return value < above
    raise TypeError(f"{bound} is no bound")


def _in_words(bounds: tuple[Any, ...]) -> str:
    match bounds:
        case (Ge(ge=least), Le(le=most)):
            return f"between {least:g} and {most:g}"
    return " and ".join(_bound_in_words(bound) for bound in bounds)


def _bound_in_words(bound: Any) -> str:
    match bound:
        case Ge(ge=least):
            return f"at least {least:g}"
        case Gt(gt=below):
            return f"more than {below:g}"
        case Le(le=most):
            return f"at most {most:g}"
        case Lt(lt=above):
            return f"less than {above:g}"
    raise TypeError(f"{bound} is no bound")
