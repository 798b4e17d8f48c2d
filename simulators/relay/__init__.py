"""A Modbus RTU relay board on the far side of the wire; what hangs on its relays moves at every pulse."""
