"""`streamstgs bench`: measure the speed of this machine, or compare two measurements."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from streamstgs.app.console import check_figures_path, write_figures
from streamstgs.cli.options import SCENE_HELP, BackendOption, JsonOption, QpOption, option
from streamstgs.cli.parsing import UsageError, parse_frame_choice, parse_size


@dataclass(frozen=True)
class Bench:
    """Measure how fast this machine decodes, deforms, renders, presents, plays and seeks a scene.

    With --compare, tell which figures of two measurements differ by more than their noise.
    """

    scene: Annotated[
        str | None,
        tyro.conf.Positional,
        tyro.conf.arg(
            metavar="SCENE", help=SCENE_HELP, help_behavior_hint="(required, or --compare)"
        ),
    ] = None
    backend: BackendOption = None
    size: Annotated[
        str, option("WxH", "Render images of this width and height in px.", "1280x720")
    ] = "1280x720"
    qp: QpOption = None
    seconds: Annotated[
        float, option("S", "Play the scene in real time for so many seconds.", "6")
    ] = 6.0
    json: JsonOption = None
    compare: Annotated[
        tuple[Path, Path] | None,
        option("A.json B.json", "Compare the figures of these two files; measure nothing.", "off"),
    ] = None

    def run(self) -> int:
        if self.compare is not None:
            return _compare(*self.compare)
        if self.scene is None:
            raise UsageError("SCENE is missing; name a scene, or two files with --compare.")
        check_figures_path(self.json)
        from rich.console import Console
        from streamstgs.app.player.bench.bench import BenchSettings, bench
        from streamstgs.app.player.bench.report import bench_table

        parse_frame_choice(self.scene, None, self.qp)
        settings = BenchSettings(qp=self.qp, seconds=self.seconds)
        figures = bench(self.scene, self.backend, parse_size(self.size), settings)
        write_figures(self.json, figures)
        Console().print(bench_table(figures))
        return 0


def _compare(before: Path, after: Path) -> int:
    from rich.console import Console
    from streamstgs.app.player.bench.compare import compare_table, read_figures, remarks

    then, now = read_figures(before), read_figures(after)
    console = Console()
    console.print(compare_table(then, now))
    for remark in remarks(then, now):
        console.print(remark, style="yellow", highlight=False)
    return 0
