"""How good a scene is: beside recorded pictures, and beside other scenes.

`evaluate` draws an encoded scene and makes one `comparison` for each picture: PSNR, SSIM, what
people see (`perceptual`), and jumps between GOPs (`seam`). `rate_distortion` weighs it against the
bytes. `held_out` looks from held-out cameras while training goes on.
"""
