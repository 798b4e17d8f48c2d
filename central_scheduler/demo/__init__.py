"""The demo: a whole branch on one machine, a dozen orders with faults, watched live and judged independently."""
