"""What can go wrong in this room.

    LeadError
    └── AddressError     text that is no e-mail address
"""


class LeadError(Exception):
    """The lead could not be changed."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class AddressError(LeadError):
    """This is no e-mail address."""
