"""The cpu backend: a compiled tile rasteriser. README.md in this folder describes its design."""
