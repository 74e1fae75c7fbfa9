"""What can go wrong in this room.

TemplateError
├── SourceError      the folder cannot be made into a template: file, line, what to do
└── RenderError      one lead's message cannot be made: lead, place, field
"""


class TemplateError(Exception):
    """The template cannot be used."""


class SourceError(TemplateError):
    """The template's files cannot be read as a template."""

    def __init__(self, where: str, what: str, do: str = "", *, id: str = "source") -> None:
        #: What `check` calls it.
        self.id = id
        #: `file:line`, or just the file.
        self.where = where
        self.what = what
        self.do = do
        super().__init__(f"{where}: {what}" + (f"; {do}" if do else ""))


class RenderError(TemplateError):
    """A message could not be made for one lead."""

    def __init__(self, where: str, what: str, *, lead: str = "", field: str = "") -> None:
        #: `file:line` in the author's own file.
        self.where = where
        self.what = what
        #: The lead's e-mail address; empty when rendering from what was stored.
        self.lead = lead
        #: `lead.first_name` and the like, when a field is to blame.
        self.field = field
        super().__init__((f"{lead}: " if lead else "") + f"{where}: {what}")
