"""Writes the contract's documents from its models: JSON Schemas, the catalogue of types and the AsyncAPI 3 document.

Knows the models and the form of the documents; says nothing that the models do not say (ENV-3).
Run `python -m cloud_bridge.spec docs/`; a test compares what is committed.
"""

from __future__ import annotations

import json
import sys
from inspect import cleandoc
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model
from pydantic.json_schema import models_json_schema

from cloud_bridge.asyncapi import asyncapi
from cloud_bridge.envelope import Envelope, Moment
from cloud_bridge.examples import EXAMPLES
from cloud_bridge.messages.catalogue import CATALOGUE, MessageType
from cloud_bridge.text_catalogue import catalogue_text

NEEDS_SUBJECT = ("order.cancel", "order.hold", "order.release", "order.resolve")  # the order that it is about


def short(kind: str) -> str:
    """`order.submit` for `branchgate.order.submit.v1`."""
    return kind.removeprefix("branchgate.").removesuffix(".v1")


def full_model(row: MessageType) -> type[BaseModel]:
    """The whole message of a type: the envelope with its type and its data."""
    members: dict[str, Any] = {
        "specversion": (Literal["1.0"], ...),
        "type": (Literal[row.type], ...),
        "data": (row.model, ...),
    }
    if row.authority is not None:
        members["deadline"] = (Moment, Field(description="last moment at which it may be accepted"))
    if short(row.type) in NEEDS_SUBJECT:
        members["subject"] = (str, Field(max_length=200, description="the order"))
    name = "".join(part.capitalize() for part in short(row.type).split("."))
    return create_model(f"{name}Message", __base__=Envelope, __doc__=cleandoc(row.model.__doc__ or ""), **members)


def schemas() -> dict[str, dict[str, Any]]:
    """File name -> JSON Schema (2020-12) of a whole message, one per type."""
    found: dict[str, dict[str, Any]] = {}
    for row in CATALOGUE.values():
        schema = full_model(row).model_json_schema()
        head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{row.type}".replace(".", ":")}
        found[f"{short(row.type)}.json"] = {**head, **schema, "examples": [EXAMPLES[row.type]]}
    return found


def components() -> tuple[dict[str, str], dict[str, Any]]:
    """Type -> name of its schema, and all schemas by name with references inside one document."""
    models = {row.type: full_model(row) for row in CATALOGUE.values()}
    _, document = models_json_schema(
        [(model, "validation") for model in models.values()], ref_template="#/components/schemas/{model}"
    )
    return {kind: model.__name__ for kind, model in models.items()}, document["$defs"]


def documents() -> dict[str, str]:
    """Path below `docs/` -> text."""
    names, parts = components()
    found = {f"schemas/{name}": _json(schema) for name, schema in schemas().items()}
    found["asyncapi.json"] = _json(asyncapi(names, parts))
    found["catalogue.md"] = catalogue_text(schemas())
    return found


def _json(document: Any) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def write(folder: Path) -> None:
    """Writes every document and removes schemas of types that are no more."""
    (folder / "schemas").mkdir(parents=True, exist_ok=True)
    wanted = documents()
    for stale in (folder / "schemas").glob("*.json"):
        if f"schemas/{stale.name}" not in wanted:
            stale.unlink()
    for path, text in wanted.items():
        (folder / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
