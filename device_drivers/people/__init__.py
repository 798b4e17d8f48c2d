"""People counters: two beams at a door, counted by the pulse inputs of a Modbus module."""
