"""Modbus units on lines of our own: RTU, RTU behind a TCP serial server, and Modbus TCP."""
