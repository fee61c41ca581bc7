"""Points in space that Gaussians start from.

Those of the capture, else triangulated (`triangulation`), else found by trying depths
(`plane_sweep`): together `initial_points`. `dynamic_points` are those on moving things.
"""
