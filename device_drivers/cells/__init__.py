"""A cabinet of cells: locks that are pulsed once, and the doors and items behind them, which are what is believed."""
