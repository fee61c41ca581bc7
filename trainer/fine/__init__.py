"""The fine stage: one GOP's canonical Gaussians, features and deformation field.

`start` lays Gaussians out on the grid and `stage` trains them on `footage`; `auxiliary` (the
transformer) and `density` are steps of it, `config` its settings.
"""
