"""Parts that both stages of training share.

`training_stage` says what a stage is and what `step` returns. Gaussians with their Adam state
(`gaussian_parameters`, `relocation`), strategies of density control (`density`), a differentiable
rasteriser (`rasterizer`), and the terms of the loss (`losses`, `structural_similarity`).
"""
