"""Decoded planes + time + camera -> Gaussians -> pixels.

Knows no files, no network and no Qt. `import renderer` needs neither gsplat nor OpenGL: the
backends load them when they are chosen (see `renderer.backends`). It does not even load torch,
which takes longer than all the rest: a name is loaded from its module when it is first asked for.

Errors:
    RenderError(RuntimeError)            anything this package raises on purpose
      BackendUnavailable                 the machine cannot run the asked-for backend, and why
      InteropUnavailable                 pictures must reach OpenGL through the host, and why
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
    """Called for names that are not there yet (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return found
