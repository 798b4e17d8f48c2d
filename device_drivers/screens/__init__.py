"""What screens show: notices, the limits of a screen, and how the one is put within the other."""
