"""The viewport and the overlays on it."""
