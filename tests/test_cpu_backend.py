"""The cpu backend beyond the contract of all backends: threads, bands, warm-up, cache."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch
from streamstgs.renderer import Camera, Gaussians, RenderSettings
from streamstgs.renderer.backends.cpu import backend as cpu
from streamstgs.renderer.backends.cpu.backend import CpuBackend, CpuSettings
from streamstgs.renderer.backends.cpu.blend import blend
from streamstgs.renderer.backends.cpu.kernels import TILE_WIDTH, source_stamp

from tests.synthetic import random_canonical

SETTINGS = RenderSettings(background=(0.1, 0.2, 0.3))
ROOT = Path(__file__).parents[1]


def view(width: int = 97, height: int = 61) -> Camera:
    eye, up = torch.tensor([0.3, -0.4, -3.0]), torch.tensor([0.0, -1.0, 0.0])
    return Camera.look_at(eye, torch.zeros(3), up, 0.9, width, height)


def scene(count: int = 600) -> Gaussians:
    return random_canonical(count, seed=9).activate()


def test_rgb8_is_the_rounded_picture() -> None:
    backend = CpuBackend()
    bright = scene()
    bright.colors.mul_(1.5)  # so that some of it is clipped
    exact = backend.render(bright, view(), SETTINGS).clamp(0, 1).numpy() * 255
    rgb8 = backend.render_rgb8(bright, view(), SETTINGS).numpy()
    assert rgb8.dtype == np.uint8
    assert rgb8.shape == (61, 97, 3)
    assert rgb8.max() == 255
    assert np.abs(rgb8 - exact).max() <= 0.5001


def test_each_picture_has_memory_of_its_own() -> None:
    backend = CpuBackend()
    first = backend.render_rgb8(scene(), view(), SETTINGS)
    kept = first.clone()
    backend.render_rgb8(scene(5), view(), SETTINGS)
    assert torch.equal(first, kept)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_number_of_threads_changes_nothing(threads: int) -> None:
    backend = CpuBackend(CpuSettings(threads=threads))
    alone = CpuBackend(CpuSettings(threads=1))
    picture = backend.render(scene(3000), view(), SETTINGS)
    assert torch.equal(picture, alone.render(scene(3000), view(), SETTINGS))
    backend.close()


def test_bands_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of tiles that would grow too long are made band by band."""
    whole = CpuBackend().render(scene(), view(), SETTINGS)
    monkeypatch.setattr(cpu, "MAX_LIST_ENTRIES", 100)
    banded = CpuBackend()
    assert torch.equal(banded.render(scene(), view(), SETTINGS), whole)


def test_tile_lists_stay_below_their_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Splats that each fill the picture need memory for one row of tiles at most."""
    monkeypatch.setattr(cpu, "MAX_LIST_ENTRIES", 1000)
    everywhere = scene(900)
    everywhere.scales.fill_(5.0)
    backend = CpuBackend()
    backend.render(everywhere, view(640, 360), SETTINGS)
    columns = 640 // TILE_WIDTH
    assert len(backend._buffers.lists(0)) <= 900 * columns * 1.25


def test_backends_draw_in_parallel_threads() -> None:
    """Each thread with its own: as when the window draws while a file is written."""
    expected = CpuBackend().render(scene(), view(), SETTINGS)
    pictures: list[torch.Tensor] = []

    def draw() -> None:
        backend = CpuBackend()
        pictures.extend(backend.render(scene(), view(), SETTINGS) for _ in range(5))

    threads = [Thread(target=draw) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(pictures) == 15
    assert all(torch.equal(picture, expected) for picture in pictures)


def test_warm_up_runs_in_another_thread() -> None:
    backend = CpuBackend()
    thread = Thread(target=backend.warm_up)
    thread.start()
    backend.render(scene(), view(), SETTINGS)
    thread.join(60)
    assert not thread.is_alive()


def test_inputs_with_other_strides_and_types() -> None:
    plain = scene(100)
    odd = Gaussians(
        plain.means.T.contiguous().T,
        plain.quats.double(),
        plain.scales,
        plain.opacities.repeat_interleave(2)[::2],
        plain.colors,
    )
    backend = CpuBackend()
    torch.testing.assert_close(
        backend.render(odd, view(), SETTINGS),
        backend.render(plain, view(), SETTINGS),
        atol=1e-5,
        rtol=0,
    )


def test_cache_stamp_covers_all_sources() -> None:
    """A kernel holds code and constants of other files; it must not outlive them in the cache."""
    stamp = blend._cache._cache_file._source_stamp
    assert stamp == source_stamp()
    names = {name for name, _, _ in stamp}
    assert {"settings.py", "kernels.py", "lanes.py", "field_kernels.py", "trajectories.py"} <= names


@pytest.mark.skipif(os.name == "nt", reason="permissions of folders work otherwise there")
def test_compiled_code_goes_to_the_user_cache(tmp_path: Path) -> None:
    """So an uninstallation leaves none beside the source, and read-only installations work."""
    code = tmp_path / "code" / "streamstgs" / "renderer"
    code.parent.mkdir(parents=True)
    subprocess.run(["cp", str(ROOT / "streamstgs/__init__.py"), str(code.parent)], check=True)
    subprocess.run(["cp", "-r", str(ROOT / "renderer"), str(code)], check=True)
    subprocess.run(["find", str(code), "-name", "__pycache__", "-exec", "rm", "-r", "{}", "+"],
                   check=True)  # fmt: skip
    script = (
        "from streamstgs.renderer.backends.cpu import kernels, sort\n"
        "print(sort.count_tiles._cache.cache_path)"
    )
    (code / "backends" / "cpu" / "__pycache__").write_text("a file where the folder would be")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("NUMBA_CACHE_DIR", None)
    found = subprocess.run(
        [sys.executable, "-B", "-c", script],
        cwd=code.parents[1], env=environment, check=True, capture_output=True, text=True,
        timeout=250,
    )  # fmt: skip
    assert found.stdout.startswith(str(tmp_path / "cache" / "streamstgs-player" / "kernels"))
