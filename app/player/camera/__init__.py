"""Orbit camera, camera paths, framing, and the controller that moves them."""
