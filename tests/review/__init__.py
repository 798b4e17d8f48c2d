"""Defects that were once found by reading, each with the scenario that shows it."""
