"""The coarse stage: what is found once for the whole capture.

What stays still and what moves (`background`), how each camera sees colours (`color_response`), and
the Gaussians trained by `stage` on `footage`: the layer that never moves or, as in the paper, those
that every GOP starts from. `depth_supervision` and `dropout` keep few cameras from misleading it.
"""
