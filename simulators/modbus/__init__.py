"""Lines with several Modbus units of different kinds on the far side of the wire; each unit is a small class."""
