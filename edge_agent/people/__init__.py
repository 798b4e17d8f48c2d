"""The people of a branch: who they are, what they may do, and whether they are who they say."""
