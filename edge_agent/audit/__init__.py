"""Reading a journal from outside, whether its agent runs or not: does it agree with itself, and what does it hold."""
