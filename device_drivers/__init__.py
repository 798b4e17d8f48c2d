"""The devices' side of the world: wire protocols, links and drivers; knows nothing of orders, journal or centre."""
