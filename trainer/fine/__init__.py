"""The fine stage: one GOP's canonical Gaussians, temporal features and deformation field.

`start` lays Gaussians out on the grid, and `stage` trains them on `training_views`: its `step` is
the method of the paper, its loss on one page. `joint` trains the static layer along. `auxiliary` is
the transformer-guided pass, `density` the density control, `config` the settings.
"""
