"""What is said of one key of `potok.toml`: its kind, its range, one line for people."""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "texts", "whole number", "whole numbers", "number", "yes or no"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of `potok.toml`."""

    #: `identity.*.smtp.port`.
    path: str
    kind: Kind
    #: One line: what it is for.
    about: str
    #: The value when the file says nothing; None means there is none.
    default: Any = None
    #: Allowed texts.
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    required: bool = False

    def allowed(self) -> str:
        """What may be written, for an error: `a whole number from 1 to 65535`."""
        if self.choices:
            return " or ".join(f'"{choice}"' for choice in self.choices)
        if self.kind == "yes or no":
            return "true or false"
        if self.kind == "texts":
            return 'a list of texts in quotes, ["one", "two"]'
        if self.kind == "whole numbers":
            return "a list of whole numbers, [5, 10, 20]"
        if self.kind == "text":
            return 'a text in quotes, "..."'
        if self.least is not None and self.most is not None:
            return f"a {self.kind} from {self.least:g} to {self.most:,.0f}"
        if self.least is not None:
            return f"a {self.kind} of at least {self.least:g}"
        return f"a {self.kind}"
