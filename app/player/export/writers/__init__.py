"""Writers of image and video files."""
