"""Backends of other packages, found through their entry points.

A package offers one in its pyproject.toml; the value names a class or function that takes no
arguments and returns a `Backend`, or raises `BackendUnavailable` with the reason:

    [project.entry-points."streamstgs.backends"]
    vulkan = "my_package:VulkanBackend"

Such a backend is used where its name is asked for, never by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from streamstgs.renderer.errors import BackendUnavailable

if TYPE_CHECKING:
    from streamstgs.renderer.backends.base import Backend

GROUP = "streamstgs.backends"


def plugin_loaders(taken: Iterable[str]) -> dict[str, Callable[[], Backend]]:
    """A loader for each backend that other packages offer, by its name.

    Nothing is imported before a loader is called. A loader raises BackendUnavailable, whatever is
    wrong with the plug-in. A name that is taken, or offered twice, belongs to its first owner; the
    other offers are listed as "name (module:object)" and cannot be loaded.
    """
    loaders: dict[str, Callable[[], Backend]] = {}
    taken = set(taken)
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        if point.name in taken or point.name in loaders:
            loaders[f"{point.name} ({point.value})"] = _refusal(point)
        else:
            loaders[point.name] = _loader(point)
    return loaders


def _loader(point: EntryPoint) -> Callable[[], Backend]:
    def load() -> Backend:
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

    return load


def _refusal(point: EntryPoint) -> Callable[[], Backend]:
    def load() -> Backend:
        raise _broken(point, f"another backend has the name {point.name}")

    return load


def _broken(point: EntryPoint, problem: str) -> BackendUnavailable:
    return BackendUnavailable(f"the plug-in {point.name} ({point.value}) is broken: {problem}")
