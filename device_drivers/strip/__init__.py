"""Strip screens above windows: one frame that shows a text, which nobody answers."""
