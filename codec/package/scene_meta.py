"""The description of a scene: title, frame rate, axes, cameras."""

from __future__ import annotations

from dataclasses import dataclass, field

from streamstgs.codec.package.filmed_view import FilmedView


@dataclass(frozen=True)
class CameraPreset:
    """A named camera: position, point that it looks at, vertical field of view."""

    name: str
    position: tuple[float, float, float]
    target: tuple[float, float, float]
    fov_y_rad: float


@dataclass(frozen=True)
class SceneMeta:
    """What a player needs to know of a scene beside its Gaussians.

    Args:
        fps: content frames per second.
        up: unit vector that points up in the world.
        center: point that an orbit turns around, world units.
        radius: distance from `center` that a full view of the scene needs, world units.
        background: RGB behind the Gaussians, display-encoded, 0..1.
        has_background: whether the scene was made for `background`. Files of other programs do not
            tell that; theirs is only a colour to begin with.
        near: distance of the near plane, world units. Cameras of a capture stand inside of parts
            that other cameras see; Gaussians nearer than this are not rendered.
        width, height: picture size of the capture in px; the natural aspect ratio.
        presets: named cameras; the first is the opening view.
        filmed: what each camera of the capture saw; empty in scenes that do not tell it.
        isolated: whether the pictures of the capture end in background, as those of an object do;
            None in scenes that do not tell it.
    """

    title: str
    fps: float
    up: tuple[float, float, float]
    center: tuple[float, float, float]
    radius: float
    background: tuple[float, float, float]
    width: int
    height: int
    near: float = 0.01
    licence: str = ""
    attribution: str = ""
    presets: tuple[CameraPreset, ...] = field(default_factory=tuple)
    filmed: tuple[FilmedView, ...] = field(default_factory=tuple)
    isolated: bool | None = None
    has_background: bool = True

    @property
    def own_background(self) -> tuple[float, float, float] | None:
        """The background that the scene was made for; None if it has none."""
        return self.background if self.has_background else None
