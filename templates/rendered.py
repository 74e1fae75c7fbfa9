"""What a template makes of one lead."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendered:
    """One recipient's texts, ready to be put into an envelope."""

    #: One line, no control characters.
    subject: str
    #: The text part; always there.
    text: str
    #: The HTML part, or None for a template that is text only.
    html: str | None = None
    #: The language whose body was used (`pl`), or empty for the template's own.
    language: str = ""
    #: Exactly what the template read: rendering again from this alone gives the same texts.
    read: Mapping[str, Any] = field(default_factory=dict)
