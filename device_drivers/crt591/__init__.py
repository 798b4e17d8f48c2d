"""CREATOR CRT-591 / CRT-571 card dispenser (also Mingte F3, MTK-F31)."""
