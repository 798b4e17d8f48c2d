"""Loopback ports for servers that tests start, stop and start again on the same port.

Knows which ports nobody else comes by: the system gives a client any port of its own range, so that a server of that
range may find its port taken when it comes back. Must not know who listens.
"""

from __future__ import annotations

import secrets
import socket
from collections import deque
from pathlib import Path

LOWEST = 10_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_claims: deque[socket.socket] = deque(maxlen=256)


def _below_the_clients() -> int:
    first = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768
    return first if first > LOWEST + 2 * (_claims.maxlen or 0) else 32_768  # a box that gives clients nearly all ports


def free_port() -> int:
    """A port that no client is given and no other test asks for: its UDP twin is held while this process lives."""
    while True:
        port = LOWEST + secrets.randbelow(_below_the_clients() - LOWEST)
        claim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            claim.bind(("127.0.0.1", port))
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        if len(_claims) == _claims.maxlen:
            _claims.popleft().close()
        _claims.append(claim)
        return port
