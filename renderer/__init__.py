"""Decoded planes + time + camera -> Gaussians -> pixels.

Knows no files, no network and no Qt. `import renderer` needs neither gsplat nor OpenGL: the
backends load them when they are chosen (see `renderer.backends`).

Errors:
    RenderError(RuntimeError)            anything this package raises on purpose
      BackendUnavailable                 the machine cannot run the asked-for backend, and why
      InteropUnavailable                 pictures must reach OpenGL through the host, and why
"""

from renderer.camera import Camera
from renderer.deformation import DeformationField, FieldConfig
from renderer.errors import BackendUnavailable, InteropUnavailable, RenderError
from renderer.gaussians import CanonicalGaussians, Gaussians
from renderer.gop import Gop
from renderer.settings import RenderSettings

__all__ = [
    "BackendUnavailable",
    "Camera",
    "CanonicalGaussians",
    "DeformationField",
    "FieldConfig",
    "Gaussians",
    "Gop",
    "InteropUnavailable",
    "RenderError",
    "RenderSettings",
]
