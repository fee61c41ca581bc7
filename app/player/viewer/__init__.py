"""Parts of the viewer model: scenes, transport, quality, options, statistics, picking."""
