"""What a machine shows or writes, beside the ledger, on disk before anybody hears of it.

Knows files only; what stands on a sheet, on a screen or in a file is the machine's affair.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from simulators.machine import Kept, Paper


def keep(sheets: Sequence[Paper | Kept], beside: Path) -> None:
    """Write the sheets and files and return when they are on disk under their names."""
    for sheet in sheets:
        folder = beside / sheet.folder
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(sheet, Kept):
            _write(folder / sheet.name, sheet.data)
            continue
        _write(folder / f"{sheet.name}.png", sheet.png)
        _write(folder / f"{sheet.name}.txt", sheet.text.encode())
    for folder in {beside / sheet.folder for sheet in sheets}:
        _sync(folder)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write(path: Path, data: bytes) -> None:
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
