"""The frame that holds the project: scripts, locks, floors and the unit file."""
