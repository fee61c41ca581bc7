"""The first run: a child process compiles the loops for the CPU, and OpenGL draws meanwhile."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from streamstgs.renderer import loop_compiler
from streamstgs.renderer.backends.cpu import backend as cpu
from streamstgs.renderer.backends.cpu import kernels
from streamstgs.renderer.backends.cpu.kernels import compiled, is_compiled
from streamstgs.renderer.loop_compiler import LoopCompiler


def doubled(x):
    return 2 * x


@pytest.fixture
def nothing_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_compiler, "_is_compiled", lambda drawing: False)


def test_loop_is_compiled_once_it_ran_or_the_cache_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "CACHE_FOLDER", str(tmp_path))
    first = compiled(doubled)
    assert not is_compiled(first)
    assert first(3) == 6
    assert is_compiled(first)
    assert is_compiled(compiled(doubled))  # as in another process
    for code in tmp_path.rglob("*.nbc"):  # a child that was ended wrote the index, and no code
        code.unlink()
    assert not is_compiled(compiled(doubled))


def test_code_for_another_processor_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "CACHE_FOLDER", str(tmp_path))
    compiled(doubled)(3)
    other = compiled(doubled)
    codegen = type(other.targetctx.codegen())
    monkeypatch.setattr(codegen, "magic_tuple", lambda self: ("x86_64", "another", "+avx"))
    assert not is_compiled(other)


def test_child_finds_the_package_from_any_folder(
    nothing_compiled: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loop_compiler, "_CODE", "from streamstgs.renderer import loop_compiler")
    compiler = LoopCompiler()
    compiler.begin(drawing=True)
    compiler.wait()
    assert not compiler.is_running()
    assert compiler._child is not None
    assert compiler._child.returncode == 0
    compiler.stop()


def test_one_child_compiles_until_it_is_stopped(
    nothing_compiled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_compiler, "_CODE", "import time; time.sleep(600)")
    compiler = LoopCompiler()
    assert compiler.begin(drawing=True)
    child = compiler._child
    assert child is not None
    assert compiler.begin(drawing=False)
    assert compiler._child is child
    compiler.stop()
    assert not compiler.is_running()
    assert child.returncode is not None


def test_failed_child_is_not_started_again(
    nothing_compiled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it could not compile is compiled where it is used, which shows the error."""
    monkeypatch.setattr(loop_compiler, "_CODE", "raise SystemExit(3)")
    compiler = LoopCompiler()
    compiler.begin(drawing=True)
    compiler.wait()
    assert not compiler.begin(drawing=True)
    compiler.stop()


def test_no_child_where_all_is_compiled() -> None:
    cpu.CpuBackend().warm_up()
    compiler = LoopCompiler()
    assert not compiler.begin(drawing=True)
    assert compiler._child is None


def test_child_compiles_nothing_before_it_may(
    nothing_compiled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sys\nfrom streamstgs.renderer import loop_compiler, field_inference\n"
    code += "field_inference.warm_up = lambda: sys.exit(7)\nloop_compiler.compile_here({drawing})"
    monkeypatch.setattr(loop_compiler, "_CODE", code)
    compiler = LoopCompiler()
    assert compiler.begin(drawing=False)
    child = compiler._child
    assert child is not None
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(0.2)
    compiler.go()
    compiler.wait()
    assert child.returncode == 7
    compiler.go()  # too late, and no error
    compiler.stop()


def test_child_ends_with_the_program_that_started_it() -> None:
    code = "from streamstgs.renderer import loop_compiler; loop_compiler.end_with_parent()\n"
    child = loop_compiler._start(code + "import time; time.sleep(600)")
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(100) == 1


@pytest.mark.slow
def test_child_compiles_all_that_a_picture_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "CACHE_FOLDER", str(tmp_path))
    monkeypatch.setattr(loop_compiler, "_is_compiled", lambda drawing: False)
    compiler = LoopCompiler()
    assert compiler.begin(drawing=True)
    compiler.go()
    compiler.wait()
    compiler.stop()
    monkeypatch.setattr(
        loop_compiler, "_CODE", "from streamstgs.renderer import loop_compiler as loops\n"
        "raise SystemExit(not loops._is_compiled({drawing}))"
    )  # fmt: skip
    again = LoopCompiler()
    again.begin(drawing=True)
    again.wait()
    assert again._child is not None
    assert again._child.returncode == 0
    again.stop()
