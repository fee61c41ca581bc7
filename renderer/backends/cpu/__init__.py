"""The compiled tile rasteriser for machines without GPU or display."""
