"""`streamstgs edit`: change what a scene tells of itself, without encoding it again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from streamstgs.cli.options import OutputOption, SceneArgument, option
from streamstgs.cli.parsing import UsageError

if TYPE_CHECKING:
    from streamstgs.codec.package.filmed_view import FilmedView

AS_IT_IS = "as it is"


@dataclass(frozen=True)
class Edit:
    """Write a copy of an encoded scene with another title, licence, credit or sound, or with what
    the cameras of its capture saw. Nothing is encoded again."""

    scene: SceneArgument
    output: Annotated[OutputOption, tyro.conf.arg(metavar="SCENE")]
    """Write this scene: a file if its name ends in .stgs, else a directory for a web server. It may
    be the scene itself."""
    title: Annotated[str | None, option("TEXT", "Title of the scene.", AS_IT_IS)] = None
    licence: Annotated[str | None, option("TEXT", "Licence that players show.", AS_IT_IS)] = None
    attribution: Annotated[
        str | None,
        option("TEXT", "Names of the authors, which players show as credit.", AS_IT_IS),
    ] = None
    audio: Annotated[
        Path | None,
        option("FILE", "Take the sound of this audio or video file.", AS_IT_IS),
    ] = None
    capture: Annotated[
        Path | None,
        option(
            "DATA",
            "Take from this capture what the cameras saw, so that players keep a viewer there; "
            "scenes of older programs lack it.",
            AS_IT_IS,
        ),
    ] = None

    def run(self) -> int:
        from streamstgs.codec.encoder.edit import SceneChanges, edit_scene

        changes = SceneChanges(
            self.title,
            self.licence,
            self.attribution,
            self._filmed(),
            self.audio,
        )
        if changes == SceneChanges():
            raise UsageError(
                "nothing to change: give --title, --licence, --attribution, --audio or --capture"
            )
        edit_scene(self.scene, self.output, changes)
        print(self.output)
        return 0

    def _filmed(self) -> tuple[FilmedView, ...] | None:
        if self.capture is None:
            return None
        from streamstgs.trainer.scene_meta import filmed_in

        return filmed_in(self.capture)
