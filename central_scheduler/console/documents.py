"""Documents of an order as typed: the address that the branch fetches, and a local copy that hash and type come from.

Knows names, endings and files of this machine; it fetches nothing, so a copy that differs is refused by the branch.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from central_scheduler.console.problem import Exit, Problem
from central_scheduler.words import Words
from cloud_bridge.messages.instructions import Document

_MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".pwg": "image/pwg-raster",
    ".urf": "image/urf",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}


def documents(addresses: Iterable[str], copies: Iterable[str], words: Words) -> list[Document]:
    """`a=https://host/a.pdf` and `a=copy.pdf` -> the order's documents. Raises Problem."""
    fetched, local = _by_name(addresses, "bad_document"), _by_name(copies, "bad_document_file")
    for name in sorted(fetched.keys() ^ local.keys()):
        raise Problem(Exit.USAGE, "document_no_file" if name in fetched else "document_no_address", name=name)
    return [_document(name, address, Path(local[name]), words) for name, address in fetched.items()]


def _by_name(given: Iterable[str], problem: str) -> dict[str, str]:
    named: dict[str, str] = {}
    for item in given:
        name, _, value = item.partition("=")
        if not name or not value or name in named:
            raise Problem(Exit.USAGE, problem, given=item)
        named[name] = value
    return named


def _document(name: str, address: str, copy: Path, words: Words) -> Document:
    media_type = _MEDIA_TYPES.get(copy.suffix.lower())
    if media_type is None:
        raise Problem(Exit.USAGE, "document_ending", file=copy, endings=", ".join(_MEDIA_TYPES))
    members: dict[str, Any] = {"name": name, "address": address, "media_type": media_type}
    try:
        return Document(**members, sha256=_sha256(copy, words))
    except ValidationError:
        raise Problem(Exit.USAGE, "bad_document", given=f"{name}={address}") from None


def _sha256(copy: Path, words: Words) -> str:
    try:
        mode = copy.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise OSError(errno.ESPIPE, os.strerror(errno.ESPIPE))  # it would keep its reader for ever
        with copy.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        why = words.word("os", errno.errorcode.get(error.errno or 0, type(error).__name__))
        raise Problem(Exit.USAGE, "document_unreadable", file=copy, why=why) from error
