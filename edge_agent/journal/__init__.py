"""The one durable store of a branch; knows transactions and rows, not what an order means."""
