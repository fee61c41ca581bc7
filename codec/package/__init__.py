"""The files of a scene: their names, the manifest that declares them, and how they are written."""
