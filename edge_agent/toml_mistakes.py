"""What the TOML parser complains of, sorted into codes that people can be told in their own language.

Knows the parser's English; a complaint that it does not know is quoted.
"""

from __future__ import annotations

import re

_CODES = (
    (r"Expected '=' after", "toml_no_equals"),
    (r"Expected newline", "toml_two_on_a_line"),
    (r"Expected '\]|Unclosed ", "toml_open_bracket"),
    (r"Unterminated string|Expected [\"']", "toml_open_text"),
    (r"Illegal character|Found invalid character", "toml_character"),
    (r"Cannot |Duplicate ", "toml_twice"),
    (r"Invalid statement|Invalid initial character", "toml_no_key"),
    (r"Invalid value", "toml_no_value"),
    (r"Invalid date", "toml_no_date"),
    (r"Invalid hex|Escaped character|Unescaped ", "toml_escape"),
    (r"Exceeds the limit", "toml_long_number"),
)


def told(text: str, error: ValueError) -> tuple[int, str, dict[str, object]]:
    """The line, the code and the places of what the parser said of this text."""
    english = str(error)
    line, column = _where(text, english)
    code = next((code for form, code in _CODES if re.match(form, english)), None)
    return (line, code, {"column": column}) if code else (line, "toml_other", {"english": english})


def _where(text: str, english: str) -> tuple[int, int]:
    if found := re.search(r"at line (\d+), column (\d+)", english):
        return int(found[1]), int(found[2])
    if "end of document" in english:
        return text.count("\n") + 1, len(text) - text.rfind("\n")
    return 1, 1
