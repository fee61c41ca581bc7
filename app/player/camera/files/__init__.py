"""Camera path files: the own format, and those of other programs."""
