"""From a trained scene to a package: order, layers, quantisation, video, poster, quality."""
