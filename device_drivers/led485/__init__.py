"""Digit displays of the LED-485 kind: a number above a window, over Modbus or as plain text."""
