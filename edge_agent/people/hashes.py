"""Passwords as they are kept, codes and tokens: what can be checked and not read back.

Knows hashing only; must not know whose they are.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata

# scrypt with 16 MiB at a time, five times over: as strong as 128 MiB once, and what a box with 512 MB can spare.
LOG_N, BLOCK, TIMES = 14, 8, 5
MAX_MEMORY = 64 * 1024 * 1024
_SALT, _HASH = 16, 32
MIN_CHARACTERS, MAX_CHARACTERS = 10, 200
_CODE_BYTES = 10


def _derive(password: str, salt: bytes, log_n: int, block: int, times: int) -> bytes:
    text = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(text, salt=salt, n=2**log_n, r=block, p=times, maxmem=MAX_MEMORY, dklen=_HASH)


def hashed(password: str) -> str:
    """As it is kept: `scrypt$log2 n$r$p$salt$hash`. Takes some tenths of a second and 16 MiB; call it in a thread."""
    salt = secrets.token_bytes(_SALT)
    return _kept(LOG_N, BLOCK, TIMES, salt, _derive(password, salt, LOG_N, BLOCK, TIMES))


def _kept(log_n: int, block: int, times: int, salt: bytes, derived: bytes) -> str:
    return f"scrypt${log_n}${block}${times}${base64.b64encode(salt).decode()}${base64.b64encode(derived).decode()}"


NOBODYS = _kept(LOG_N, BLOCK, TIMES, bytes(_SALT), bytes(_HASH))  # takes as long to refuse as anybody's


def fits(password: str, kept: str) -> bool:
    """Whether it is the one; what cannot be read fits nothing. As slow as `hashed`."""
    try:
        kind, log_n, block, times, salt, derived = kept.split("$")
        given = _derive(password, base64.b64decode(salt), int(log_n), int(block), int(times))
        return kind == "scrypt" and hmac.compare_digest(given, base64.b64decode(derived))
    except (ValueError, TypeError):
        return False


def new_code() -> str:
    """A one-time code for people to read and type: 80 bits in groups of four."""
    text = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def same_code(given: str, kept: str) -> bool:
    """Case, blanks and dashes make no other code."""
    bare = ["".join(c for c in text.upper() if c.isalnum()).encode("utf-8", "surrogatepass") for text in (given, kept)]
    return bool(bare[1]) and hmac.compare_digest(bare[0], bare[1])


def new_token() -> str:
    """An application's token: 256 bits, so that its hash needs no salt and no patience."""
    return f"bg_{secrets.token_urlsafe(32)}"


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
