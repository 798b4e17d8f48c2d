"""Simulated code scanners: a customer shows a code, and it goes down the line once, or as a bad scanner sends it."""
