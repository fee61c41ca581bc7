"""The camera of a viewer: every change passes through `CameraController`, its only writer.

`view` is the pose that was asked for and `shown` the pose on the screen. Drags apply at once; steps
(wheel, keys, presets) glide from one to the other as a function of time, so that the speed does not
depend on the frame rate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from psygnal import Signal
from streamstgs.app.player.arguments import finite, point
from streamstgs.app.player.camera.framing import Vector, opening_fov_y_rad
from streamstgs.app.player.errors import ArgumentError, NoSceneError
from streamstgs.codec.package.filmed_view import OpeningView

if TYPE_CHECKING:  # these load torch, and a window has a camera controller before that
    from streamstgs.app.player.camera.limits.camera_limits import CameraLimits
    from streamstgs.app.player.camera.orbit import OrbitCamera, OrbitView
    from streamstgs.codec.package.scene_meta import CameraPreset, SceneMeta
    from streamstgs.renderer import Camera

GLIDE_HALF_LIFE_S = 0.045
LEAST_FLIGHT = 0.15  # flights push the pivot ahead at this distance, relative to the radius
Viewport = tuple[int, int]


class CameraController:
    """Moves the camera of a viewer. Owner: the thread of the viewer model.

    The properties read the pose that was asked for, and writing one moves the camera there; numbers
    that are not finite are refused with `ArgumentError`. Moves do nothing while no scene is open
    (`available` is false); reading a pose then raises `NoSceneError`.

    Example:
        camera.position = (0.0, -1.0, -4.0)
        camera.look_at = (0.0, 0.0, 0.0)
        camera.roll_rad = 0.1

    Args:
        glides: Whether steps are shown as a smooth move; false shows them at once.
    """

    changed = Signal()  # the asked-for pose or the shown pose is another one
    stopped = Signal()  # a move ended at the edge of what was filmed
    free_flight_changed = Signal(bool)
    fly_mode_changed = Signal(bool)

    def __init__(self, glides: bool = True) -> None:
        self.glides = glides
        self._orbit: OrbitCamera | None = None
        self._meta: SceneMeta | None = None
        self._shown: OrbitView | None = None
        self._gliding = False
        self.limits: CameraLimits | None = None  # of the scene; None goes anywhere
        self._free_flight = False
        self._flies = False
        self._at_edge = False
        self._viewport: Viewport | None = None  # the size of the window
        self._preset: CameraPreset | None = None  # the named view that was gone to last
        self._fitted: OrbitView | None = None  # that view, fitted to the window

    # --- which scene ------------------------------------------------------------------------------

    @property
    def available(self) -> bool:
        """Whether a scene is open, so that there is a camera to move."""
        return self._orbit is not None

    def enter_scene(
        self, meta: SceneMeta, keep_pose: bool = False, limits: CameraLimits | None = None
    ) -> None:
        """Take the opening view of a scene.

        Args:
            keep_pose: Whether a pose that exists already stays, as when a scene is loaded again.
            limits: Where moves may lead; None is anywhere.
        """
        from streamstgs.app.player.camera.orbit import OrbitCamera

        self._meta, self.limits = meta, limits
        self._at_edge = False
        if self._orbit is None or not keep_pose:
            self._orbit = OrbitCamera.from_meta(meta)
            self._fit(meta.presets[0] if meta.presets else None)
        self._show_at_once()

    def set_viewport(self, width: int, height: int) -> None:
        """Tell the size of the window, so that named views show nothing unfilmed at its edges."""
        self._viewport = (max(width, 1), max(height, 1))
        if self._orbit is not None and self._preset is not None:
            stays = self._orbit.view == self._fitted and not self._gliding
            if stays and self._fit(self._preset):
                self._show_at_once()

    def _fit(self, preset: CameraPreset | None) -> bool:
        """Fit the view of a preset to the window; returns whether that changed it."""
        orbit, meta = self._orbit, self._meta
        self._preset = preset
        if orbit is None or meta is None or preset is None or self._viewport is None:
            return False
        opening = OpeningView.of_scene(meta, preset)
        if opening is None:
            return False
        former = orbit.view
        fov_y_rad = opening_fov_y_rad(opening, orbit.aspect, *self._viewport)
        orbit.view = replace(former, fov_y_rad=fov_y_rad)
        self._fitted = orbit.view
        return orbit.view != former

    # --- the pose ---------------------------------------------------------------------------------

    @property
    def view(self) -> OrbitView:
        """The pose that was asked for."""
        return self._camera.view

    @view.setter
    def view(self, view: OrbitView) -> None:
        self._camera.view = view
        self._show_soon()

    @property
    def shown(self) -> OrbitView:
        """The pose on the screen: a step of a glide, else the same as `view`."""
        if self._shown is None:
            raise NoSceneError("The camera has no pose before a scene is open.")
        return self._shown

    @property
    def gliding(self) -> bool:
        """Whether the shown pose is still on its way to the asked-for one."""
        return self._gliding

    @property
    def position(self) -> Vector:
        """The eye in world units; writing keeps the target."""
        return self._camera.position

    @position.setter
    def position(self, position: Vector) -> None:
        view = self.view
        self.look_from(position, view.pivot, view.fov_y_rad, view.roll_rad)

    @property
    def look_at(self) -> Vector:
        """The target, which the camera looks at, in world units; writing keeps the eye."""
        return self.view.pivot

    @look_at.setter
    def look_at(self, point: Vector) -> None:
        view = self.view
        self.look_from(self.position, point, view.fov_y_rad, view.roll_rad)

    @property
    def fov_y_rad(self) -> float:
        """The vertical field of view in a window of the scene's own aspect ratio."""
        return self.view.fov_y_rad

    @fov_y_rad.setter
    def fov_y_rad(self, fov_y_rad: float) -> None:
        self.view = replace(self.view, fov_y_rad=finite("fov_y_rad", fov_y_rad))

    @property
    def roll_rad(self) -> float:
        """The angle around the view axis; 0 is a level horizon."""
        return self.view.roll_rad

    @roll_rad.setter
    def roll_rad(self, roll_rad: float) -> None:
        self.view = replace(self.view, roll_rad=finite("roll_rad", roll_rad))

    @property
    def up(self) -> Vector:
        """The unit vector in the world that points up on the screen."""
        return self._camera.up

    @property
    def scene_radius(self) -> float:
        """The radius of the scene in world units; 1 before one is open."""
        return self._meta.radius if self._meta is not None and self._meta.radius > 0.0 else 1.0

    @property
    def flies(self) -> bool:
        """Whether drags turn the view around the eye instead of the pivot (fly mode)."""
        return self._flies

    @flies.setter
    def flies(self, flies: bool) -> None:
        if flies != self._flies:
            self._flies = flies
            self.fly_mode_changed.emit(flies)

    # --- moves ------------------------------------------------------------------------------------

    def drag_orbit(self, dx_px: float, dy_px: float, viewport: Viewport) -> None:
        """Turn with the pointer at once: around the pivot, or around the eye in fly mode."""
        if self._orbit is not None:
            orbit = self._orbit
            if self._flies:
                self._limited(orbit, lambda: orbit.look(dx_px, 0.0, viewport))
                self._limited(orbit, lambda: orbit.look(0.0, dy_px, viewport))
            else:
                self._turn(orbit, dx_px, dy_px, viewport)
            self._show_at_once()

    def drag_pan(self, dx_px: float, dy_px: float, viewport: Viewport) -> None:
        """Move the scene with the pointer, at once."""
        if self._orbit is not None:
            orbit = self._orbit
            self._limited(orbit, lambda: orbit.pan(dx_px, 0.0, viewport))
            self._limited(orbit, lambda: orbit.pan(0.0, dy_px, viewport))
            self._show_at_once()

    def orbit(self, dx_px: float, dy_px: float, viewport: Viewport) -> None:
        """Turn around the pivot as a drag over so many px would, gliding."""
        if self._orbit is not None:
            self._turn(self._orbit, dx_px, dy_px, viewport)
            self._show_soon()

    def dolly(
        self,
        steps: float,
        pointer: tuple[float, float] | None = None,
        viewport: Viewport = (1, 1),
    ) -> None:
        """Move towards the point under the pointer by wheel notches (negative: away).

        Args:
            pointer: The pointer in px from the top left corner; None moves towards the middle.
        """
        if self._orbit is not None:
            orbit = self._orbit
            self._limited(orbit, lambda: orbit.dolly(steps, pointer, viewport))
            self._show_soon()

    def fly(self, right: float, up: float, forward: float) -> None:
        """Move the eye by world units at once: across the view, along the up axis, and ahead."""
        if self._orbit is not None:
            orbit, least = self._orbit, LEAST_FLIGHT * self.scene_radius
            for step in ((right, 0.0, 0.0), (0.0, up, 0.0), (0.0, 0.0, forward)):
                if any(step):
                    self._limited(orbit, partial(orbit.fly, *step, least))
            self._show_at_once()

    def roll_by(self, angle_rad: float) -> None:
        """Turn the picture around the view axis; positive is counter-clockwise."""
        if self.available:
            self.roll_rad += angle_rad

    def look_from(
        self, position: Vector, target: Vector, fov_y_rad: float, roll_rad: float = 0.0
    ) -> None:
        """Put the eye at `position` and look at `target`.

        Raises:
            ArgumentError: Both are the same point, or a number is not finite.
        """
        eye, goal = point("The position of the camera", position), point("Its target", target)
        fov_y_rad, roll_rad = finite("fov_y_rad", fov_y_rad), finite("roll_rad", roll_rad)
        if eye == goal:
            raise ArgumentError("The camera cannot look at the point that it is at.")
        if self._orbit is not None:
            self._orbit.look_from(eye, goal, fov_y_rad, roll_rad)
            self._show_soon()

    def look_from_up(self, position: Vector, target: Vector, up: Vector, fov_y_rad: float) -> None:
        """Put the eye at `position` and look at `target` with `up` upwards on the screen.

        Raises:
            ArgumentError: As of `look_from`.
        """
        eye, goal = point("The position of the camera", position), point("Its target", target)
        upwards = point("The up direction", up)
        if self._orbit is not None:
            roll_rad = self._orbit.roll_of(eye, goal, upwards)
            self.look_from(eye, goal, fov_y_rad, roll_rad)

    def set_pivot(self, point: Vector) -> None:
        """Look at a point and orbit it from now on; the eye stays."""
        if self._orbit is not None:
            self._orbit.set_pivot(point)
            self._show_soon()

    def go_to_preset(self, preset: CameraPreset) -> None:
        """Take a named view of the scene."""
        if self._orbit is not None:
            self._orbit.go_to_preset(preset)
            self._fit(preset)
            self._at_edge = False
            self._show_soon()

    def frame_all(self) -> None:
        """Bring the whole scene into view from the side that the camera is on."""
        if self._orbit is not None and self._meta is not None:
            self._orbit.frame_all(self._meta)
            self._show_soon()

    def reset(self) -> None:
        """Go back to the opening view of the scene."""
        from streamstgs.app.player.camera.orbit import OrbitCamera

        if self._orbit is not None and self._meta is not None:
            self._orbit.view = OrbitCamera.from_meta(self._meta).view
            self._fit(self._meta.presets[0] if self._meta.presets else None)
            self._at_edge = False
            self._show_soon()

    # --- limits -----------------------------------------------------------------------------------

    @property
    def free_flight(self) -> bool:
        """Whether moves may leave what was filmed; poses that are written always may."""
        return self._free_flight

    @free_flight.setter
    def free_flight(self, free: bool) -> None:
        if free != self._free_flight:
            self._free_flight = free
            self._at_edge = False
            self.free_flight_changed.emit(free)

    @property
    def at_edge(self) -> bool:
        """Whether the last move was stopped at the edge of what was filmed."""
        return self._at_edge

    def go_to_filmed_side(self) -> None:
        """Take the filmed view that is most like this one; does nothing where none is known."""
        if self._orbit is not None and self.limits is not None:
            view = self._orbit.view
            eye, target = self.limits.way_back(self._orbit.position, view.pivot)
            self._orbit.look_from(eye, target, view.fov_y_rad)
            self._at_edge = False
            self._show_soon()

    # --- for those who draw -----------------------------------------------------------------------

    def advance(self, dt_s: float) -> bool:
        """Do one step of a glide; returns whether the shown pose has changed."""
        from streamstgs.app.player.camera.moves.gliding import approach

        if not self._gliding or self._shown is None:
            return False
        self._shown = approach(self._shown, self.view, dt_s, GLIDE_HALF_LIFE_S)
        self._gliding = self._shown != self.view
        self.changed.emit()
        return True

    def finish_glide(self) -> None:
        """Show the asked-for pose at once."""
        if self._gliding:
            self._show_at_once()

    def to_camera(self, width: int, height: int) -> Camera:
        """The renderer's camera of the shown pose for a picture of width x height px."""
        return self._camera.to_camera(width, height, self.shown)

    # --- inside -----------------------------------------------------------------------------------

    @property
    def _camera(self) -> OrbitCamera:
        if self._orbit is None:
            raise NoSceneError("The camera has no pose before a scene is open.")
        return self._orbit

    def _turn(self, orbit: OrbitCamera, dx_px: float, dy_px: float, viewport: Viewport) -> None:
        """Turn sideways and up as far as each may, so that the camera slides along an edge."""
        before = orbit.view
        orbit.orbit(dx_px, dy_px, viewport)
        if self.limits is None or self._free_flight:
            return
        goal, orbit.view = orbit.view, before
        self._limited(orbit, lambda: setattr(orbit, "view", replace(before, yaw_rad=goal.yaw_rad)))
        half = orbit.view
        pitched = replace(half, pitch_rad=goal.pitch_rad)
        self._limited(orbit, lambda: setattr(orbit, "view", pitched))

    def _limited(self, orbit: OrbitCamera, move: Callable[[], None]) -> None:
        """Do a move as far as it leads through what was filmed."""
        start = orbit.view
        move()
        goal, limits = orbit.view, self.limits
        if limits is None or self._free_flight or goal == start:
            return
        from streamstgs.app.player.camera.moves.gliding import between

        orbit.view = limits.limited(
            start, lambda share: between(start, goal, share), orbit.position_of
        )
        self._at_edge = limits.is_edge(orbit.position, orbit.view.pivot)
        if self._at_edge and orbit.view != goal:
            self.stopped.emit()

    def _show_at_once(self) -> None:
        self._gliding, self._shown = False, self.view
        self.changed.emit()

    def _show_soon(self) -> None:
        if not self.glides:
            self._show_at_once()
            return
        self._gliding = True
        self.changed.emit()
