"""A document printer that speaks IPP: every sheet is a job that can be found again by its name."""
