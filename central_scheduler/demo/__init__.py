"""The demo: a whole branch on one machine, fourteen orders with faults, watched live and judged independently."""
