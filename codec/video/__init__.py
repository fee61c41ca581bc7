"""Feature video: tiles of a luma picture, its encoder and decoder, the MP4 boxes around it."""
