"""What the branch's speed is made of: measured beside its parts in one run, never a timed test.

Knows how loads are made and counted; must not know how any of it could be made faster.
"""
