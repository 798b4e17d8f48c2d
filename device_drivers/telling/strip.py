"""A strip screen's line in words: which screen shows what."""

from __future__ import annotations

from device_drivers.strip.protocol import Decoder
from device_drivers.telling.tellers import Direction, Said


class Telling:
    """See `tellers.Teller`. No screen answers."""

    def __init__(self) -> None:
        self._frames = Decoder()

    def feed(self, direction: Direction, data: bytes) -> list[Said]:
        if direction == "read":
            return []
        shows = self._frames.feed(data)
        return [Said("screen_shows", {"unit": one.address, "text": one.text.decode("gbk", "replace")}) for one in shows]
