"""Settings that make no sense are refused where they are made, by the name of their option."""

from __future__ import annotations

import math

from streamstgs.trainer.errors import SettingError


def require(holds: bool, option: str, value: object, wanted: str) -> None:
    """Raises SettingError unless the setting `holds`; `option` is its dotted name."""
    if not holds:
        raise SettingError(f"--{option.replace('_', '-')} is {value}; it must be {wanted}")


def require_at_least(least: float, settings: object, group: str, *names: str) -> None:
    """The named numbers of a dataclass must be finite and no smaller; `group` is its dotted name,
    empty for options without one. Raises SettingError."""
    for name in names:
        value = getattr(settings, name)
        holds = math.isfinite(value) and value >= least
        require(holds, _dotted(group, name), value, f"at least {least:g}")


def require_positive(settings: object, group: str, *names: str) -> None:
    """As `require_at_least`, for numbers that must exceed zero."""
    for name in names:
        value = getattr(settings, name)
        holds = math.isfinite(value) and value > 0
        require(holds, _dotted(group, name), value, "more than 0")


def require_share(settings: object, group: str, *names: str) -> None:
    """As `require_at_least`, for shares of a whole: 0..1."""
    for name in names:
        value = getattr(settings, name)
        require(0 <= value <= 1, _dotted(group, name), value, "between 0 and 1")


def _dotted(group: str, name: str) -> str:
    return f"{group}.{name}" if group else name
