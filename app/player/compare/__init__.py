"""Comparing two pictures of one moment: two scenes, two qualities, or a scene and its capture."""
