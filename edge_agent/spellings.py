"""How names may be written, as patterns, and the code under which the catalogue says each in words.

Knows patterns only; which member has which is said where the member is.
"""

from __future__ import annotations

NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
ROLE = r"^[a-z][a-z0-9-]{0,40}$"
KIND = r"^[a-z0-9][a-z0-9._-]{0,40}$"
WORD = r"^[a-z][a-z0-9_]{0,40}$"
TOPIC_ROOT = r"^[A-Za-z0-9._/-]{1,100}$"
CLIENT_ID = r"^[A-Za-z0-9._-]{1,100}$"
PLACE = r"^(?:[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]{0,30}[^\x00-\x20\x7f])?)?$"  # as on the sign: 3, VIP 1, 对公
USERNAME = r"^[^\x00-\x1f\x7f]{1,200}$"
_PORT = r"(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])"
TIME_SERVER = rf"^[A-Za-z0-9](?:[A-Za-z0-9.-]{{0,250}}[A-Za-z0-9])?(?::{_PORT})?$"  # host or host:port

SPELLINGS = {
    NAME: "spelling_name",
    ROLE: "spelling_role",
    KIND: "spelling_kind",
    WORD: "spelling_word",
    TOPIC_ROOT: "spelling_topic_root",
    CLIENT_ID: "spelling_client_id",
    PLACE: "spelling_place",
    USERNAME: "spelling_username",
    TIME_SERVER: "spelling_time_server",
}
