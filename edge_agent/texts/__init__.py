"""The catalogue of texts: every word that a person reads, in Chinese and in English.

Knows keys and languages; must not know who asks, nor format anything beyond filling in named places.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("zh", "en")


class UnknownText(KeyError):
    """A key that the catalogue does not have: a mistake of the caller, found by the tests."""


class Texts:
    """One language: `texts("error.no_broker", broker="…")` is a sentence, `texts.word("reason", code)` a word."""

    def __init__(self, lang: str) -> None:
        self.lang = lang if lang in LANGUAGES else "en"
        self._entries = load(self.lang)

    def __call__(self, key: str, /, **places: object) -> str:
        """The text of `key` with its places filled in. Raises UnknownText."""
        try:
            text = self._entries[key]
        except KeyError:
            raise UnknownText(key) from None
        return text.format_map({name: str(value) for name, value in places.items()})

    def word(self, family: str, code: str) -> str:
        """The text of a code that came from elsewhere; the code itself when the catalogue does not know it."""
        return self._entries.get(f"{family}.{code}", code)


@cache
def load(lang: str) -> Mapping[str, str]:
    """The flat entries `section.key` -> text of one language."""
    text = files(__package__).joinpath(f"{lang}.toml").read_text(encoding="utf-8")
    return dict(_flat("", tomllib.loads(text)))


def _flat(prefix: str, table: Mapping[str, Any]) -> list[tuple[str, str]]:
    entries: list[tuple[str, str]] = []
    for key, value in table.items():
        if isinstance(value, dict):
            entries.extend(_flat(f"{prefix}{key}.", value))
        else:
            entries.append((f"{prefix}{key}", str(value)))
    return entries


def language(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """The language to speak: `--lang`, then BRANCHGATE_LANG, then the locale (LC_ALL, LC_MESSAGES, LANG), then English.

    It reads the raw arguments because help and usage errors are spoken before any of them is parsed.
    """
    for candidate in (_asked_for(arguments), environ.get("BRANCHGATE_LANG", "")):
        if known := _known(candidate):
            return known
    locale = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    return _known(locale) or "en"


def _asked_for(arguments: Sequence[str]) -> str:
    for place, argument in enumerate(arguments):
        if argument.startswith("--lang="):
            return argument.removeprefix("--lang=")
        if argument == "--lang" and place + 1 < len(arguments):
            return arguments[place + 1]
    return ""


def _known(name: str) -> str:
    prefix = name[:2].lower()
    return prefix if prefix in LANGUAGES else ""
