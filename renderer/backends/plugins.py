"""Backends of other packages, found through their entry points.

A package offers one in its pyproject.toml; the value names a class or function that takes no
arguments and returns a `Backend`, or raises `BackendUnavailable` with the reason:

    [project.entry-points."streamstgs.backends"]
    vulkan = "my_package:VulkanBackend"

Such a backend is used where its name is asked for, never by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from streamstgs.renderer.errors import BackendUnavailable

if TYPE_CHECKING:
    from streamstgs.renderer.backends.base import Backend

GROUP = "streamstgs.backends"


def find_plugins(taken: Iterable[str]) -> tuple[dict[str, EntryPoint], dict[str, str]]:
    """Backends that other packages offer, none of them imported.

    Args:
        taken: names that belong to other backends.

    Returns:
        by_name: the offers that can be chosen.
        refused: reasons of the others by "name (module:object)". A name that is taken, or offered
            twice, belongs to its first owner.
    """
    by_name: dict[str, EntryPoint] = {}
    refused: dict[str, str] = {}
    taken = set(taken)
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        if point.name in taken or point.name in by_name:
            refused[_label(point)] = f"another backend has the name {point.name}"
        else:
            by_name[point.name] = point
    return by_name, refused


def load_plugin(point: EntryPoint) -> Backend:
    """The backend of an entry point.

    Raises:
        BackendUnavailable: the machine cannot run it, or the plug-in is broken in any way.
    """
    from streamstgs.renderer.backends.base import Backend

    try:
        backend = point.load()()
    except BackendUnavailable:
        raise
    except Exception as error:  # code of other people may raise anything
        raise _broken(point, f"{type(error).__name__}: {error}") from error
    if not isinstance(backend, Backend):
        raise _broken(point, "it does not implement streamstgs.renderer.backends.base.Backend")
    return backend


def _broken(point: EntryPoint, problem: str) -> BackendUnavailable:
    return BackendUnavailable(f"the plug-in {_label(point)} is broken: {problem}")


def _label(point: EntryPoint) -> str:
    return f"{point.name} ({point.value})"
