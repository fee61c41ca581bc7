"""Scene indexes in the viewer: `loader` reads one without making the window wait."""
