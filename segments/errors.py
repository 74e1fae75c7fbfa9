"""What can go wrong with a segment.

SegmentError
├── RuleError           the rule's text cannot be understood; shows the place
├── DefinitionError     the segment's file holds something else than a definition
└── SegmentCycleError   segments that name each other in a circle
"""

from collections.abc import Sequence


class SegmentError(Exception):
    """The segment cannot be used."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__class__.__doc__)


class RuleError(SegmentError):
    """The rule cannot be understood."""

    #: Characters of a long line shown on each side of the place.
    CONTEXT = 60

    def __init__(
        self,
        text: str,
        line: int,
        column: int,
        message: str,
        suggestion: str | None = None,
        *,
        length: int = 1,
    ) -> None:
        super().__init__(message)
        #: The whole rule.
        self.text = text
        #: Where, counted from 1.
        self.line = line
        self.column = column
        #: What was found and what belongs there, for a marketer.
        self.message = message
        #: The nearest known name, when there is one.
        self.suggestion = suggestion
        #: How many characters are meant.
        self.length = length

    def inside(self, segment: str) -> "RuleError":
        """The same error, said of a segment that another rule names."""
        return RuleError(
            self.text,
            self.line,
            self.column,
            f'in segment "{segment}": {self.message}',
            self.suggestion,
            length=self.length,
        )

    def __str__(self) -> str:
        lines = self.text.split("\n")
        line = lines[self.line - 1] if self.line <= len(lines) else ""
        line = "".join(" " if letter in "\t\r" else letter for letter in line)
        start = max(0, self.column - 1 - self.CONTEXT)
        shown = line[start : self.column - 1 + self.CONTEXT]
        carets = "^" * max(1, min(self.length, len(shown) - (self.column - 1 - start)))
        first = self.message
        if self.suggestion:
            first += f"; did you mean {self.suggestion}?"
        margin = f"  line {self.line}: "
        before = "..." if start else ""
        indent = " " * (len(margin) + len(before) + self.column - 1 - start)
        return f"{first}\n{margin}{before}{shown}\n{indent}{carets}"


class DefinitionError(SegmentError):
    """The segment's file holds something else than a description and a rule."""


class SegmentCycleError(SegmentError):
    """Segments name each other in a circle."""

    def __init__(self, path: Sequence[str]) -> None:
        #: The names in the order they lead back to the first, which stands at both ends.
        self.path = tuple(path)
        super().__init__(
            "segments name each other in a circle: "
            + " -> ".join(self.path)
            + "; take one of these steps out"
        )
