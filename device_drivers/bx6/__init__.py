"""Onbon BX-6 controllers: screens of many lines, spoken to by frames between `A5` and `5A`."""
