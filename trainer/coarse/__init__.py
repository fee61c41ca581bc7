"""The coarse stage: Gaussians trained once for the whole capture.

`stage` trains them on `training_views` (the temporal medians, `temporal_median`, or all frames):
the layer that never moves or, as in the paper, the Gaussians that every GOP starts from. Its loss
and its schedule are one page. `config` holds its settings, `density` its density control,
`color_correction` the cameras' colours, `background` the flat colour behind the scene.
`depth_supervision`, `free_space` and `dropout` keep few cameras from misleading it.
"""
