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
USERNAME = r"^[^\x00-\x1f\x7f]{1,200}$"

SPELLINGS = {
    NAME: "spelling_name",
    ROLE: "spelling_role",
    KIND: "spelling_kind",
    WORD: "spelling_word",
    TOPIC_ROOT: "spelling_topic_root",
    CLIENT_ID: "spelling_client_id",
    USERNAME: "spelling_username",
}
