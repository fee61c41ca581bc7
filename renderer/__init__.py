"""Moves the Gaussians of a GOP to a time and draws them for a camera.

This package has no files, no network and no Qt. Importing it loads neither gsplat nor OpenGL:
backends load them when they are chosen (`renderer.backends`). It does not load torch, either, which
takes longer than everything else: each name is imported when it is first used.

Errors:
    RenderError(RuntimeError)            base of all errors of this package
      BackendUnavailable                 this machine cannot run the backend; says why
      InteropUnavailable                 pictures must reach OpenGL through the host; says why
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from streamstgs.renderer.errors import BackendUnavailable, InteropUnavailable, RenderError
from streamstgs.renderer.settings import RenderSettings

if TYPE_CHECKING:
    from streamstgs.renderer.camera import Camera
    from streamstgs.renderer.deformation import DeformationField
    from streamstgs.renderer.field_config import FieldConfig
    from streamstgs.renderer.gaussians import CanonicalGaussians, Gaussians
    from streamstgs.renderer.gop import Gop

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

_HOMES = {
    "Camera": "streamstgs.renderer.camera",
    "CanonicalGaussians": "streamstgs.renderer.gaussians",
    "DeformationField": "streamstgs.renderer.deformation",
    "FieldConfig": "streamstgs.renderer.field_config",
    "Gaussians": "streamstgs.renderer.gaussians",
    "Gop": "streamstgs.renderer.gop",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found
