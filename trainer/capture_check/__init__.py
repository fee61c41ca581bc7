"""Does a capture fit together? Poses by epipolar lines, synchronisation by motion energy.

`check_folder` looks at everything and returns a `CaptureReport`; it trains nothing.
"""
