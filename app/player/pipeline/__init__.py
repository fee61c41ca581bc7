"""From a scene's location to decoded GOPs: scheduling, fetching, decoding."""
