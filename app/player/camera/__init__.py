"""Camera: orbit geometry, controller, paths, editable tracks, framing and picking."""
