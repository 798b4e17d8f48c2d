"""A cabinet of cells on the far side of the wire: doors that spring open, items, and the people in front of them."""
