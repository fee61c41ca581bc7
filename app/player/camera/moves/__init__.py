"""Moves of the camera as functions of time."""
