"""A printer with a stamp beside it: one machine to the branch, two lines behind it."""
