"""Parts of the viewer model: scenes, transport, quality, options and statistics."""
