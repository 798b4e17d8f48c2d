"""Site inputs: doors, buttons and power of a branch, read from the digital inputs of a Modbus module."""
