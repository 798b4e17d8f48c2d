"""The document of a printing step: what the order says of it, and its bytes if they are the promised ones.

Knows files and hashes; must not know printers.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from device_drivers.device import Json
from device_drivers.errors import DeviceRefused

ReadFile = Callable[[Path, int], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Document:
    """As `params["document"]` has it."""

    name: str
    media_type: str
    sha256: str
    path: Path

    @classmethod
    def of(cls, params: Mapping[str, Json]) -> Document:
        """Reads a step's parameters. Raises DeviceRefused."""
        raw = params.get("document")
        keys = ("name", "media_type", "sha256", "path")
        if not isinstance(raw, Mapping) or not all(isinstance(raw.get(key), str) and raw[key] for key in keys):
            raise DeviceRefused("invalid_params", f"a document has {', '.join(keys)}, not {raw!r}", waits_for="never")
        return cls(raw["name"], raw["media_type"].lower(), raw["sha256"].lower(), Path(raw["path"]))

    async def content(self, read: ReadFile, bytes_max: int) -> bytes:
        """Its bytes. Raises DeviceRefused when they are not there, too many, or not those of the hash."""
        try:
            data = await read(self.path, bytes_max + 1)
        except OSError as error:
            raise DeviceRefused("document_missing", f"{self.path}: {error}", waits_for="never") from error
        if len(data) > bytes_max:
            raise DeviceRefused("document_too_large", f"more than {bytes_max} bytes", waits_for="never")
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise DeviceRefused("document_altered", f"{self.path} is not the file of {self.sha256}", waits_for="never")
        return data


async def read_file(path: Path, bytes_max: int) -> bytes:
    """The first `bytes_max` bytes of a file, read in a thread: disks wait too."""

    def read() -> bytes:
        with path.open("rb") as file:
            return file.read(bytes_max)

    return await asyncio.to_thread(read)
