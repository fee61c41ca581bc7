"""How good a scene is: beside recorded pictures, and beside other scenes.

`evaluate` renders an encoded scene and makes one `comparison` for each image: PSNR, SSIM,
perceptual distances (`perceptual`), and `boundary_flicker` between GOPs. `rate_distortion` compares
quality with bytes. Validation while training goes on is `trainer.validation`.
"""
