"""What both stages optimise, and by what.

Gaussians with their Adam state (`gaussian_parameters`) and their density control (`relocation`), a
differentiable picture of them (`rasterizer`), and the terms of the loss (`losses`).
"""
