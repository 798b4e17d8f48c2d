"""What the second ring stands on: forked agents and machines, branches, a recording scheduler, deaths."""
