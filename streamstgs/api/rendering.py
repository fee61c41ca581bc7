"""Images of a scene as arrays."""

from __future__ import annotations

from typing import Any, Literal

from numpy.typing import NDArray

from streamstgs.api.cameras import AnyCamera, pinhole_camera
from streamstgs.api.drawing import MODES
from streamstgs.api.scene import AnyQuality, Scene, check_scene
from streamstgs.app.player.arguments import point, within
from streamstgs.app.player.export.settings import checked_size
from streamstgs.renderer import Gaussians, RenderSettings

Mode = Literal["color", "alpha", "depth"]


def render(
    scene: Scene,
    time_s: float = 0.0,
    camera: AnyCamera = None,
    size: tuple[int, int] | None = None,
    mode: Mode = "color",
    *,
    quality: AnyQuality = None,
    background: tuple[float, float, float] | None = None,
    gaussians: Gaussians | None = None,
    backend: str | None = None,
) -> NDArray[Any]:
    """Render one image of a scene.

    The renderer is kept with the scene: the first call takes longer than the next ones.

    Example:
        image = st.render(scene, time_s=1.0, camera="Front", size=(640, 360))

    Args:
        scene: an open scene.
        time_s: seconds from the start of the scene.
        camera: name of a camera of the scene, a `Camera` or a `PinholeCamera`; None for the
            opening view.
        size: (width, height) px; None for the size of the capture, or of a `PinholeCamera`.
        mode: "color" for the image, "alpha" for how much of the background is covered, "depth" for
            the expected distance along the viewing axis.
        quality: one of `scene.qualities` or its index; None for the best.
        background: RGB behind the Gaussians, 0..1; None for the scene's own.
        gaussians: rendered instead of those that the scene has at `time_s`.
        backend: "gsplat", "opengl", "cpu" or "reference"; None for the one in use, at first the
            fastest of this machine.

    Returns:
        An array with the first row on top. For "color" [height, width, 3] uint8, display-encoded
        RGB; for "alpha" [height, width] float32, 0 to 1; for "depth" [height, width] float32,
        world units, 0 where no Gaussian is drawn.

    Raises:
        CodecError: a file of the scene is missing or damaged, the server does not answer, or the
            scene has no such quality.
        RenderError: this machine cannot run the backend, or the backend cannot draw the image.
        PlayerError: the scene is closed or has no such camera, the size is not 1 to 8192 px, or a
            number is not finite.
        TypeError: `scene` is no open scene, or `gaussians` are none.
        ValueError: there is no such mode.
    """
    check_scene(scene)
    if mode not in MODES:
        raise ValueError(f"there is no mode {mode!r}; choose one of {', '.join(MODES)}")
    view = pinhole_camera(camera, scene.meta, None if size is None else checked_size(size, False))
    if not isinstance(gaussians, Gaussians | None):
        raise TypeError(f"gaussians is a {type(gaussians).__name__}; it must be st.Gaussians")
    meta = scene.meta
    behind = meta.background if background is None else _color(background)
    settings = RenderSettings(behind, meta.near, meta.own_background)
    drawing = scene._renderer(backend)
    if gaussians is None:
        segment, shown_s = scene._shown(time_s, quality)
        gaussians = drawing.gaussians(segment, shown_s)
    return drawing.image(mode, gaussians, view, settings)


def _color(background: Any) -> tuple[float, float, float]:
    """RGB within 0..1. Raises PlayerError."""
    red, green, blue = point("The background", background)
    for value in (red, green, blue):
        within("A part of the background", value, 0.0, 1.0)
    return red, green, blue
