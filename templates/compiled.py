"""A template as it is applied: closed, JSON-able, all that rendering needs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from leads import JsonObject
from templates.enclosed import Enclosed, bytes_of

#: (line in the compiled text, file, line in the author's file)
Lines = tuple[tuple[int, str, int], ...]

#: Where the text part comes from: written by the author, made from the HTML template at compile
#: time, or made from each rendered HTML because only rendering shows what it says.
TextFrom = Literal["author", "template", "rendered"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One Jinja text, ready to render."""

    source: str
    #: Where the author wrote it.
    file: str
    lines: Lines = ()

    def place(self, line: int) -> str:
        """`file:line` as the author knows it, for a line of `source`."""
        best = (1, self.file, 1)
        for row in self.lines:
            if row[0] > line:
                break
            best = row if row[0] == line or row[0] > best[0] else best
            if row[0] == line:
                break
        return f"{best[1]}:{best[2] if self.lines else line}"


def name_part(attachment: Enclosed) -> Part:
    """The name of an attachment, to be rendered."""
    line = (1, "message.toml", attachment.line)
    return Part(source=attachment.name, file="message.toml", lines=(line,))


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """All parts of the mail in one language."""

    subject: Part
    html: Part | None = None
    text: Part | None = None
    text_from: TextFrom = "author"
    #: Why CSS is inlined after rendering; empty when it is inlined already.
    inline_after_render: str = ""
    #: `file:line` of that reason.
    inline_where: str = ""
    #: Defaults by dotted path below `lead`.
    defaults: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Compiled:
    """A template with its CSS inlined and its text part made."""

    name: str
    #: The language of the texts under the empty key.
    language: str
    topic: str
    description: str
    #: By language; the empty one is the template's own.
    texts: Mapping[str, Texts]
    #: Partials that macros are imported from while rendering.
    partials: Mapping[str, str]
    #: The author's files, for checks and for showing an old version.
    files: Mapping[str, str]
    #: Pictures the HTML shows.
    images: tuple[Enclosed, ...] = ()
    #: Their names are Jinja.
    attachments: tuple[Enclosed, ...] = ()
    #: The segments it asks about, each as it was applied.
    segments: Mapping[str, JsonObject] = field(default_factory=dict)
    #: What else it reads that must be looked up: `deals`, `view`, `preferences`.
    asks: tuple[str, ...] = ()
    #: Whether links to the web lead over our own address.
    track_links: bool = False
    #: Whether a picture of ours tells that the mail was opened.
    track_opens: bool = False
    #: Whether a link that people do not see gives scanners away.
    trap_link: bool = False

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language there are texts in, the template's own first."""
        return (self.language, *(language for language in self.texts if language))

    def texts_for(self, language: str) -> str:
        """The key of the texts for someone who reads `language`: exact, primary, or our own."""
        wanted = language.lower()
        for each in (wanted, wanted.partition("-")[0]):
            if each in self.texts:
                return each
        return ""

    def body(self) -> JsonObject:
        """This template as JSON for `template_version.body`; `from_body` is its way back."""
        document = asdict(self)
        del document["name"]
        # What a template does without is left out: what is new here changes no applied template.
        return {key: value for key, value in document.items() if key not in _MORE or value}

    @classmethod
    def from_body(cls, name: str, body: JsonObject) -> "Compiled":
        """The template that `body()` was called on."""
        texts = {language: _texts(each) for language, each in body["texts"].items()}
        more: dict[str, Any] = {
            key: tuple(Enclosed(**each) for each in body.get(key, ()))
            for key in ("images", "attachments")
        }
        more["asks"] = tuple(body.get("asks", ()))
        return cls(**{**body, **more, "name": name, "texts": texts})

    def folder(self) -> dict[str, bytes]:
        """The author's files, as they lay in the folder."""
        enclosed = {each.file: bytes_of(each) for each in (*self.images, *self.attachments)}
        return {**enclosed, **{name: text.encode() for name, text in self.files.items()}}


#: Fields that came later.
_MORE = (
    *("images", "attachments", "segments", "asks"),
    *("track_links", "track_opens", "trap_link"),
)


def _part(body: JsonObject | None) -> Part | None:
    if body is None:
        return None
    lines = tuple((row[0], row[1], row[2]) for row in body["lines"])
    return Part(source=body["source"], file=body["file"], lines=lines)


def _texts(body: JsonObject) -> Texts:
    parts = {name: _part(body[name]) for name in ("subject", "html", "text")}
    return Texts(**{**body, **parts})
