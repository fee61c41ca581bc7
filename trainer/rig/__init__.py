"""Calibrates the videos of a static rig: structure from motion by pycolmap, to a `cameras.json`."""
