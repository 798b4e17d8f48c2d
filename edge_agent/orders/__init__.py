"""Orders and their steps: the recipes, the tables of states, the door they come in by, and their course."""
