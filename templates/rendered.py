"""What a template makes of one lead."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from templates.enclosed import Enclosed


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
    #: The pictures that `html` shows.
    images: tuple[Enclosed, ...] = ()
    attachments: tuple[Enclosed, ...] = ()

    def page(self) -> str | None:
        """The HTML for a browser: pictures stand in it as data (RFC 2397), not as `cid:`."""
        html = self.html
        for each in self.images if html is not None else ():
            data = each.data.replace("\r\n", "")
            html = str(html).replace(f"cid:{each.cid}", f"data:{each.type};base64,{data}")
        return html
