"""The ways bytes travel to a device; each sibling here offers the same five calls (`link.Link`)."""
