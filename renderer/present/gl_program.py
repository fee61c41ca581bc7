"""Compiles and links GLSL programs."""

from __future__ import annotations

import re
from importlib.resources import files

from OpenGL import GL
from streamstgs.renderer.errors import RenderError

_VERSION = "#version 410 core\n"  # the newest that macOS has


def shader_source(package: str, name: str) -> str:
    """Text of `<package>/shaders/<name>`."""
    return files(package).joinpath("shaders", name).read_text(encoding="utf-8")


def link_program(vertex: str, fragment: str, constants: dict[str, float] | None = None) -> int:
    """A linked program in the current context.

    Args:
        vertex, fragment: GLSL without its #version line.
        constants: numbers by name, put in front of both texts as `const float`.

    Raises:
        RenderError: the context is older than OpenGL 4.1, or the driver does not compile or link
            it; holds the driver's log.
    """
    _require_version_4_1()
    lines = [f"const float {name} = {value!r};\n" for name, value in (constants or {}).items()]
    head = _VERSION + "".join(lines)
    stages = [
        _compile(GL.GL_VERTEX_SHADER, head + vertex),
        _compile(GL.GL_FRAGMENT_SHADER, head + fragment),
    ]
    program = GL.glCreateProgram()
    for stage in stages:
        GL.glAttachShader(program, stage)
    GL.glLinkProgram(program)
    for stage in stages:
        GL.glDetachShader(program, stage)
        GL.glDeleteShader(stage)
    if not GL.glGetProgramiv(program, GL.GL_LINK_STATUS):
        raise RenderError(f"shader program does not link: {_text(GL.glGetProgramInfoLog(program))}")
    return program


def uniform_locations(program: int, *names: str) -> dict[str, int]:
    """Locations of the uniforms of a program by name; -1 for those that it optimised away."""
    return {name: GL.glGetUniformLocation(program, name) for name in names}


def _require_version_4_1() -> None:
    """Raise for an older OpenGL; some old drivers would only report that `main` is missing."""
    version = _text(GL.glGetString(GL.GL_VERSION) or b"0.0 (no context)")
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < (4, 1):
        raise RenderError(f"OpenGL 4.1 is needed; this is {version}")


def _compile(stage: int, source: str) -> int:
    shader = GL.glCreateShader(stage)
    GL.glShaderSource(shader, source)
    GL.glCompileShader(shader)
    if not GL.glGetShaderiv(shader, GL.GL_COMPILE_STATUS):
        raise RenderError(f"shader does not compile: {_text(GL.glGetShaderInfoLog(shader))}")
    return shader


def _text(log: bytes | str) -> str:
    return log.decode(errors="replace") if isinstance(log, bytes) else log
