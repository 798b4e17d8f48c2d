"""Templates of receipts, as a designer writes them in TOML: read, checked as a whole, their pictures fetched.

Knows files and the order of blocks; must not know values, paper, nor how anything is printed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from device_drivers.receipts.bad_template import BadPicture, BadTemplate, Mistake, mistakes_of
from device_drivers.receipts.blanks import names_in, refusal
from device_drivers.receipts.blocks import AnyBlock, End, Image, Seal, one_kind_each
from device_drivers.receipts.images import dots_of_file


class Template(BaseModel):
    """A whole template. `model_validate(template.as_params())` is the same template, pictures included."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    title: str = Field("", max_length=100)
    language: Literal["zh", "en"] = "zh"
    block: Annotated[list[AnyBlock], Field(min_length=1, max_length=200), BeforeValidator(one_kind_each)]

    @model_validator(mode="after")
    def _one_cut_at_the_end(self) -> Template:
        for place, block in enumerate(self.block[:-1]):
            if isinstance(block, End):
                raise refusal("template_cut_not_last", ("block", place))
        return self

    def names(self) -> set[str]:
        """The {names} that the template cannot do without; those of a block with `when` are asked for only then."""
        return {name for block in self.block if block.when is None for text in block.texts() for name in names_in(text)}

    @cached_property
    def every_name(self) -> frozenset[str]:
        """All names of values that the template looks at, those of `when` too."""
        asked = {name for block in self.block for text in block.texts() for name in names_in(text)}
        return frozenset(asked | {block.when for block in self.block if block.when is not None})

    def as_params(self) -> dict[str, Any]:
        """The template as a member of an act's parameters: plain JSON, nothing in it points to a file."""
        return self.model_dump(mode="json", exclude_none=True)


def parse_template(text: str, file: str | Path) -> Template:
    """A template's TOML; pictures are looked for beside `file`. Raises BadTemplate."""
    try:
        members = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadTemplate(str(file), [Mistake((), "toml_other", {"english": str(error)})]) from error
    return template_of(members, file)


def template_of(members: Mapping[str, Any], file: str | Path) -> Template:
    """The same from TOML that has been read already. Raises BadTemplate."""
    try:
        template = Template.model_validate(members)
    except ValidationError as error:
        raise BadTemplate(str(file), mistakes_of(error)) from error
    return with_pictures(template, Path(file))


def with_pictures(template: Template, file: Path) -> Template:
    """The template with the dots of its pictures, which lie beside it. Raises BadTemplate."""
    mistakes: list[Mistake] = []
    blocks: list[Any] = []
    for place, block in enumerate(template.block):
        if not isinstance(block, Image | Seal) or block.image is None or block.dots is not None:
            blocks.append(block)
            continue
        try:
            blocks.append(block.model_copy(update={"dots": dots_of_file(file.parent, block.image, block.width)}))
        except BadPicture as refused:
            mistakes.append(Mistake(("block", place, "image"), refused.code, refused.places))
    if mistakes:
        raise BadTemplate(str(file), mistakes)
    return template.model_copy(update={"block": blocks})
