"""Publishes a live scene: GOPs are appended to a directory or an object store while people watch.

`publisher` writes the scene, `store` reaches where it lies (fsspec), `feed` takes GOPs from a
finished scene, `live_dash` writes the dynamic MPEG-DASH manifest.
"""
