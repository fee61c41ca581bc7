"""Settings given by the dotted names of the command line, such as `gop.iterations`."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

Config = TypeVar("Config")


def with_settings(config: Config, settings: Mapping[str, Any]) -> Config:
    """A copy of nested frozen dataclasses with some fields changed.

    Args:
        config: the settings to start from.
        settings: values by dotted field name; `-` and `_` mean the same.

    Raises:
        ValueError: there is no such setting; the message suggests the nearest name. The dataclasses
            raise errors of their own for values that make no sense.
    """
    known = set(setting_names(config))
    given = {name.replace("-", "_"): value for name, value in settings.items()}
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise ValueError(
                f"no setting {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
            )
    return _replaced(config, given)


def setting_names(config: object, prefix: str = "") -> Iterator[str]:
    """Dotted names of all fields of nested dataclasses, those that hold dataclasses included."""
    for field in fields(config):  # type: ignore[arg-type]
        yield prefix + field.name
        value = getattr(config, field.name)
        if is_dataclass(value):
            yield from setting_names(value, f"{prefix}{field.name}.")


def _replaced(config: Config, given: Mapping[str, Any]) -> Config:
    kinds = get_type_hints(type(config))
    changed = {
        name: _fitted(value, kinds[name]) for name, value in given.items() if "." not in name
    }
    heads = {name.partition(".")[0] for name in given if "." in name}
    for head in heads:
        inner = {n.partition(".")[2]: v for n, v in given.items() if n.startswith(f"{head}.")}
        changed[head] = _replaced(changed.get(head, getattr(config, head)), inner)
    return replace(config, **changed)  # type: ignore[type-var]


def _fitted(value: Any, kind: Any) -> Any:
    """A text as a path, and a list as a tuple, where the setting is one."""
    if isinstance(value, str) and Path in (kind, *get_args(kind)):
        return Path(value)
    return tuple(value) if isinstance(value, list) else value
