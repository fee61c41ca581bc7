"""Tests that need a display or a GPU say why they do not run, where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from app.display import DisplayProbe


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or fills the cache of the person who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip marked tests that this machine cannot run; asks only when there are such tests."""
    for mark, ask in (("window", window_problem), ("gpu", gpu_problem)):
        marked = [item for item in items if item.get_closest_marker(mark)]
        problem = ask() if marked else None
        if problem is not None:
            for item in marked:
                item.add_marker(pytest.mark.skip(reason=problem))


def window_problem() -> str | None:
    problem = DisplayProbe().problem()
    return None if problem is None else f"{problem} (xvfb-run gives tests a display)"


def gpu_problem() -> str | None:
    import torch

    if not torch.cuda.is_available():
        return "no CUDA device"
    return None if find_spec("gsplat") else "gsplat is not installed"
