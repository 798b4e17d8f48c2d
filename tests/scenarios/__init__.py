"""Whole days of a branch with real processes, a real broker and real lines, each judged by the checker."""
