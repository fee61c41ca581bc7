"""Untrusted JSON, read value by value: every access says what type and range it wants."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from streamstgs.codec.errors import NotAScene
from streamstgs.codec.file_kind import HEAD_BYTES, JSON, UNKNOWN, describe_file


class Node:
    """A JSON value and where it stands in its document, for messages."""

    def __init__(self, value: Any, path: str) -> None:
        self.value = value
        self.path = path

    @staticmethod
    def parse(data: bytes, name: str) -> Node:
        """The root object of a document.

        Raises:
            NotAScene: not JSON, or its root is not an object.
        """
        try:
            value = json.loads(data, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise NotAScene(f"{name} {_why_no_json(data, error)}.") from error
        root = Node(value, name)
        root._want(isinstance(value, dict), "an object")
        return root

    def at(self, key: str) -> Node:
        """A member that must be there."""
        self._want(isinstance(self.value, dict) and key in self.value, f"an object with {key!r}")
        return Node(self.value[key], f"{self.path}: {key}")

    def has(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def items(self, most: int) -> list[Node]:
        """The elements of a list of at most `most`."""
        self._want(isinstance(self.value, list), "a list")
        self._want(len(self.value) <= most, f"a list of at most {most}")
        return [Node(value, f"{self.path}[{k}]") for k, value in enumerate(self.value)]

    def integer(self, low: int, high: int) -> int:
        value = self.value
        good = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        self._want(good, f"an integer from {low} to {high}")
        return value

    def number(self, low: float = -1e9, high: float = 1e9) -> float:
        value = self.value
        good = isinstance(value, int | float) and not isinstance(value, bool)
        self._want(good and low <= value <= high, f"a number from {low:g} to {high:g}")
        return float(value)

    def numbers(self, count: int, low: float = -1e9, high: float = 1e9) -> tuple[float, ...]:
        nodes = self.items(count)
        self._want(len(nodes) == count, f"{count} numbers")
        return tuple(node.number(low, high) for node in nodes)

    def text(self, most: int) -> str:
        self._want(isinstance(self.value, str) and len(self.value) <= most, "a (shorter) text")
        return self.value

    def choice(self, allowed: tuple[str, ...]) -> str:
        self._want(isinstance(self.value, str) and self.value in allowed, f"one of {allowed}")
        return self.value

    def refuse(self, wanted: str) -> NoReturn:
        raise NotAScene(f"{self.path} should be {wanted}.")

    def _want(self, good: bool, wanted: str) -> None:
        if not good:
            self.refuse(wanted)


def finite(value: float) -> float:
    """The value, for writing; JSON has no NaN and no infinity.

    Raises:
        ValueError: not finite.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be written")
    return float(value)


def _why_no_json(data: bytes, error: Exception) -> str:
    kind = describe_file(data[:HEAD_BYTES])
    if kind in (JSON, UNKNOWN):
        return f"is not valid JSON: {error}"
    return f"is not valid JSON: it is {kind}"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
