"""Code scanners that send each code as a line of text."""
