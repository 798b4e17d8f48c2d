"""The long runs of scripts/torture: the same harness and the same judge, thousands of times."""
