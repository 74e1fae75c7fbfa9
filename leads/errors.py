"""What can go wrong in this room.

LeadError
├── AddressError     text that is no e-mail address
├── UnknownLead      nobody with this address or number
├── UnknownDeal      the lead has no such deal, or several
├── UnknownTask      the lead has no such task, or several
├── StageError       a stage that no pipeline has
├── FieldError       a field that a lead does not have, or a value that does not fit it
├── FileError        a file that cannot be read as rows
└── MappingError     columns that cannot be understood
"""


class LeadError(Exception):
    """The lead could not be changed."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class AddressError(LeadError):
    """This is no e-mail address."""


class UnknownLead(LeadError):
    """There is no such lead."""


class UnknownDeal(LeadError):
    """The lead has no such deal."""


class UnknownTask(LeadError):
    """The lead has no such task."""


class StageError(LeadError):
    """There is no such stage."""


class FieldError(LeadError):
    """A lead has no such field."""


class FileError(LeadError):
    """This file cannot be read."""


class MappingError(LeadError):
    """The columns of this file are not understood."""
