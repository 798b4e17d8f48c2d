"""Banknote counters 点钞机: what they tell of each note (冠字号), live and in files, and batches of notes."""
