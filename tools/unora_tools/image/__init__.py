"""`make image`: builds the images with the container engine that is there."""
