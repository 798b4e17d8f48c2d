"""Days of a branch that prints, in real processes."""
