"""A banknote counter 点钞机 on the far side of the wire: it sends a frame for each note that passes."""
