"""The branch's devices on the far side of the wire: bytes, motion, cards and faults as the real machines have them.

Knows no more of the product than a machine does; nothing here imports the agent, the journal or the scheduler.
"""
