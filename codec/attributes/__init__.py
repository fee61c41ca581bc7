"""From the attributes of Gaussians to integer codes and images, and back."""
