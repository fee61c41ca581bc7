"""The lanes of the film: camera keyframes and the curve of content time, over one time axis."""
