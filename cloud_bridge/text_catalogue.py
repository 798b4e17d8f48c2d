"""The catalogue of types as a page for people: what each carries, member by member, with an example.

Knows JSON Schemas and Markdown; the schemas are handed in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from inspect import cleandoc
from typing import Any

from cloud_bridge.examples import EXAMPLES
from cloud_bridge.messages.catalogue import CATALOGUE, PLANNED, MessageType

HEAD = """# The catalogue of message types

Generated from the models by `python -m cloud_bridge.spec docs/`; the rules behind it stand in
[contract.md](contract.md), the same as one AsyncAPI 3 document in [asyncapi.json](asyncapi.json), and one JSON Schema
per type in [schemas/](schemas/). Every message is a CloudEvents 1.0 envelope; the tables below tell what stands in
its `data`.

| type | topic | class | carries |
|---|---|---|---|
"""


def _type_of(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "enum" in schema:
        return " \\| ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(_type_of(part) for part in schema["anyOf"] if part.get("type") != "null")
    if schema.get("type") == "array":
        return f"list of {_type_of(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "any")


def _limits(schema: Mapping[str, Any]) -> str:
    words = {"minimum": "≥", "maximum": "≤", "maxLength": "length ≤", "minItems": "items ≥", "maxItems": "items ≤"}
    return ", ".join(f"{sign} {schema[key]}" for key, sign in words.items() if key in schema)


def _members(schema: Mapping[str, Any]) -> list[str]:
    needed = set(schema.get("required", ()))
    lines = ["| member | type | needed | meaning |", "|---|---|---|---|"]
    for name, part in schema.get("properties", {}).items():
        meaning = "; ".join(words for words in (part.get("description", ""), _limits(part)) if words)
        lines.append(f"| `{name}` | {_type_of(part)} | {'yes' if name in needed else ''} | {meaning} |")
    return lines


def _section(row: MessageType, schema: Mapping[str, Any]) -> list[str]:
    data = schema["$defs"][row.model.__name__]
    lines = [f"## {row.type}", "", cleandoc(row.model.__doc__ or ""), ""]
    lines += _members(data) if data.get("properties") else ["No members."]
    return [*lines, "", "```json", json.dumps(EXAMPLES[row.type], indent=1, ensure_ascii=False), "```", ""]


def _parts(schema: Mapping[str, Any], row: MessageType) -> dict[str, list[str]]:
    """Name -> lines of each object that stands inside of the data, such as a document of an order."""
    data = json.dumps(schema["$defs"][row.model.__name__])
    parts = {name: part for name, part in schema["$defs"].items() if f'/{name}"' in data and part.get("properties")}
    return {
        name: [f"### {name}", "", cleandoc(str(part.get("description", ""))), "", *_members(part), ""]
        for name, part in sorted(parts.items())
    }


def catalogue_text(schemas: Mapping[str, Mapping[str, Any]]) -> str:
    """The page. `schemas`: file name -> JSON Schema of a whole message."""
    lines, sections, words, parts = [], [], dict[str, list[str]](), dict[str, list[str]]()
    for row in CATALOGUE.values():
        schema = schemas[f"{row.type.removeprefix('branchgate.').removesuffix('.v1')}.json"]
        first = cleandoc(row.model.__doc__ or "").splitlines()[0]
        lines.append(f"| `{row.type}` | {row.topic} | {row.authority or ''} | {first} |")
        sections += _section(row, schema)
        parts |= _parts(schema, row)
        for name, part in schema["$defs"].items():
            if "enum" in part:
                words[name] = [str(value) for value in part["enum"]]
    planned = ", ".join(f"`{kind}`" for kind in sorted(PLANNED))
    tail = [f"- `{name}`: {', '.join(f'`{value}`' for value in values)}" for name, values in sorted(words.items())]
    return (
        HEAD
        + "\n".join(lines)
        + f"\n\nNamed by the contract and not built yet, so answered with `unsupported`: {planned}.\n\n"
        + "\n".join(sections)
        + "\n## Parts\n\n"
        + "\n".join(line for name in sorted(parts) for line in parts[name])
        + "\n## Words\n\n"
        + "\n".join(tail)
        + "\n"
    )
