"""Where the camera may go: near the filmed views, above the ground, and off surfaces."""
