"""The window as a kiosk: full screen, no way out but a key, controls for visitors."""
