"""Backends of other packages, found through their entry points.

A package offers one in its pyproject.toml; the value names a class or function that takes no
arguments and returns a `Backend`, or raises `BackendUnavailable` with the reason:

    [project.entry-points."streamstgs.backends"]
    vulkan = "my_package:VulkanBackend"

Such a backend is used where its name is asked for, never by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from streamstgs.renderer.errors import BackendUnavailable

if TYPE_CHECKING:
    from streamstgs.renderer.backends.base import Backend

GROUP = "streamstgs.backends"
log = logging.getLogger(__name__)


def plugin_loaders(taken: Iterable[str]) -> dict[str, Callable[[], Backend]]:
    """A loader for each backend that other packages offer, by its name.

    Nothing is imported before a loader is called. A loader raises BackendUnavailable, whatever is
    wrong with the plug-in. Names in `taken`, and names offered twice, go to the first owner; the
    later ones are logged and skipped.
    """
    loaders: dict[str, Callable[[], Backend]] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        if point.name in loaders or point.name in taken:
            log.warning("the backend %s (%s) is skipped: the name is taken", *_origin(point))
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
        except Exception as error:  # code of somebody else: anything may happen
            name, origin = _origin(point)
            raise BackendUnavailable(
                f"the plug-in {name} ({origin}) is broken: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(backend, Backend):
            name, origin = _origin(point)
            raise BackendUnavailable(
                f"the plug-in {name} ({origin}) is broken: it does not implement "
                "streamstgs.renderer.backends.base.Backend"
            )
        return backend

    return load


def _origin(point: EntryPoint) -> tuple[str, str]:
    """(name, object reference) of an entry point, for messages."""
    return point.name, point.value
