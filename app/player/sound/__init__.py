"""Sound of a viewer: samples of the open scene, the device, and the clock that follows it."""
