"""A development server for scenes and a network throttle. Not needed to play."""
