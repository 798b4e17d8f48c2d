"""What keeps a branch fit while nobody looks."""
