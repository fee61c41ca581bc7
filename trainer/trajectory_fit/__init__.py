"""Fits canonical Gaussians, features and field to sequences whose Gaussians correspond.

frames    reads a sequence frame by frame, and checks that its Gaussians correspond
fit       one GOP: least squares for straight paths, principal components for the rest
field     a deformation field that decodes features evenly near 0 and coarsely far from it
sequence  all GOPs as the files of a run, which the encoder takes
report    errors of the encoded scene against the sequence
"""
