"""Declares the parameters of rules, so that the table of the documentation is generated."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, cast


@dataclass(frozen=True)
class Parameter:
    """One number of a rule.

    Args:
        rule, name: class and field.
        default, unit, meaning: for the table.
    """

    rule: str
    name: str
    default: float
    unit: str
    meaning: str


def parameter(default: float, unit: str, meaning: str) -> Any:
    """A dataclass field with a unit and a meaning."""
    return field(default=default, metadata={"unit": unit, "meaning": meaning})


def parameters(rule: type) -> list[Parameter]:
    """The declared parameters of a rule, in order."""
    return [
        Parameter(rule.__name__, each.name, cast(float, each.default), **each.metadata)
        for each in fields(rule)
        if each.metadata
    ]
