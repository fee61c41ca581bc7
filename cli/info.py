"""`streamstgs info`: list the contents of a scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import tyro
from streamstgs.app.console import print_figures
from streamstgs.cli.options import SceneArgument, flag


@dataclass(frozen=True)
class Info:
    """List what a scene contains, and the bitrate of each of its qualities."""

    scene: SceneArgument
    json: Annotated[
        tyro.conf.FlagCreatePairsOff[bool], flag("Print JSON instead of a table for people.")
    ] = False

    def run(self) -> int:
        from streamstgs.codec.formats.registry import open_reader
        from streamstgs.codec.formats.stgs import StgsReader
        from streamstgs.codec.info import describe

        with open_reader(self.scene) as reader:
            if isinstance(reader, StgsReader):
                facts = describe(reader.scene)
                shown = facts if self.json else with_short_qualities(facts)
            else:
                from streamstgs.codec.formats.splat_info import describe_splats

                shown = describe_splats(reader)
        print_figures(shown, as_json=self.json)
        return 0


def with_short_qualities(facts: dict[str, Any]) -> dict[str, Any]:
    """One line per quality for people; JSON has its bytes by part."""
    left_out = "qualities", "static_only_gops"
    shown = {name: value for name, value in facts.items() if name not in left_out}
    counts = {k: v for k, v in facts["gaussians"].items() if k != "keyframe_layers"}
    shown["gaussians"] = counts  # the lines of the qualities say what layers amount to
    if static_only := facts["static_only_gops"]:
        numbers = ", ".join(map(str, static_only))
        shown["warning"] = f"GOP {numbers}: only the static layer is visible; train it again"
    for quality in facts["qualities"]:
        shown[f"QP {quality['qp']}"] = (
            f"{quality['codec']}, {quality['bytes_per_frame']['total'] / 1000:.1f} kB per frame, "
            f"{quality['bitrate_bps'] / 1e6:.2f} Mbit/s, {_gaussians(quality['gaussians'])}"
        )
    return shown


def _gaussians(counts: dict[str, Any]) -> str:
    """The Gaussians of a quality, for people."""
    moving = counts["dynamic"]
    mean = sum(moving) / len(moving)
    return f"{counts['static']:,} static and {mean:,.0f} moving Gaussians"
