"""Exchange formats of other programs: glTF and .4dgs."""
