"""Play, stream, train and encode dynamic Gaussian scenes.

    import streamstgs as st

    with st.open("scene.stgs") as scene:
        image = st.render(scene, time_s=1.0, camera="Front", size=(640, 360))

The names in `__all__` are the public interface; docs/api.md describes them. Every other module is
private and may change. A name is loaded when it is first used, so that `import streamstgs` needs
neither torch nor Qt.
"""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

# A wheel holds all folders of the project inside this package. A checkout has them beside it.
_CHECKOUT = Path(__file__).resolve().parents[1]
if (_CHECKOUT / "pyproject.toml").is_file() and (_CHECKOUT / "codec").is_dir():
    __path__.append(str(_CHECKOUT))

if TYPE_CHECKING:
    from streamstgs.api.cameras import Camera
    from streamstgs.api.conversion import convert
    from streamstgs.api.export import export_video
    from streamstgs.api.rendering import render
    from streamstgs.api.scene import Frame, Scene, Segment, open
    from streamstgs.api.training import encode, evaluate, train
    from streamstgs.api.viewer import Viewer
    from streamstgs.app.player.camera.keyframes import CameraKeyframe
    from streamstgs.app.player.camera.track import CameraTrack
    from streamstgs.app.player.errors import PlayerError
    from streamstgs.app.player.export.queue import ExportQueue, ExportRequest
    from streamstgs.app.player.export.settings import ExportSettings
    from streamstgs.app.player.film.markers import Marker
    from streamstgs.app.player.rendering.view_settings import Look
    from streamstgs.app.player.time_track import TimeCurve, TimeKey
    from streamstgs.codec.encoder.config import EncodeReport
    from streamstgs.codec.errors import CodecError
    from streamstgs.codec.quality import Quality
    from streamstgs.renderer.camera import Camera as PinholeCamera
    from streamstgs.renderer.errors import RenderError
    from streamstgs.renderer.gaussians import Gaussians
    from streamstgs.trainer.errors import TrainerError

__all__ = [
    "Camera",
    "CameraKeyframe",
    "CameraTrack",
    "CodecError",
    "EncodeReport",
    "ExportQueue",
    "ExportRequest",
    "ExportSettings",
    "Frame",
    "Gaussians",
    "Look",
    "Marker",
    "PinholeCamera",
    "PlayerError",
    "Quality",
    "RenderError",
    "Scene",
    "Segment",
    "TimeCurve",
    "TimeKey",
    "TrainerError",
    "Viewer",
    "convert",
    "encode",
    "evaluate",
    "export_video",
    "open",
    "render",
    "train",
]

_MODULES = {
    "Camera": "api.cameras",
    "CameraKeyframe": "app.player.camera.keyframes",
    "CameraTrack": "app.player.camera.track",
    "CodecError": "codec.errors",
    "EncodeReport": "codec.encoder.config",
    "ExportQueue": "app.player.export.queue",
    "ExportRequest": "app.player.export.queue",
    "ExportSettings": "app.player.export.settings",
    "Frame": "api.scene",
    "Gaussians": "renderer.gaussians",
    "Look": "app.player.rendering.view_settings",
    "Marker": "app.player.film.markers",
    "PinholeCamera": "renderer.camera",
    "PlayerError": "app.player.errors",
    "Quality": "codec.quality",
    "RenderError": "renderer.errors",
    "Scene": "api.scene",
    "Segment": "api.scene",
    "TimeCurve": "app.player.time_track",
    "TimeKey": "app.player.time_track",
    "TrainerError": "trainer.errors",
    "Viewer": "api.viewer",
    "convert": "api.conversion",
    "encode": "api.training",
    "evaluate": "api.training",
    "export_video": "api.export",
    "open": "api.scene",
    "render": "api.rendering",
    "train": "api.training",
}
_OTHER_NAMES = {"PinholeCamera": "Camera"}  # in the module that defines them


if not TYPE_CHECKING:  # type checkers know the imports above, and report other names

    def __getattr__(name: str) -> Any:
        """Load a public name from its module when it is first used (PEP 562)."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = import_module(f"{__name__}.{_MODULES[name]}")
        value = globals()[name] = getattr(module, _OTHER_NAMES.get(name, name))
        return value


def __dir__() -> list[str]:
    return __all__
