"""`branchgate doctor`: what is wrong with a branch's box, seen from the box itself, each finding with its remedy."""
