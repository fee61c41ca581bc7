"""Readers of scene files: one protocol, and a registry that finds the reader of a file.

    open_reader(location) -> SceneReader
    reader.segment(index, quality) -> Segment
    segment.gaussians_at(time_s) -> Gaussians

A reader hides how a format stores and compresses Gaussians, so programs that only need the
Gaussians of a time use it. The player needs more of its own format: single files of a segment,
transfers that it can cancel and continue, static layers that arrive later. It works on
`codec.scene.Scene`, which the `stgs` reader wraps.

Other packages add readers through the entry point group `streamstgs.readers`
(`codec.formats.registry`).
"""
