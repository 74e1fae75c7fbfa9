"""What this room raises. A refused mail is no exception but an `Outcome`.

DeliverabilityError
|-- EnvelopeError     a mail that must not be built: control characters, no address
|-- ConnectError      no usable connection: `cause` for the pace, `sentence` for a person
|-- SigningError      a DKIM key that cannot be read or used
|-- ProviderError     a provider, preset or pace setting that makes no sense
|-- SpamdError        SpamAssassin's daemon that cannot be asked
|-- ResolverError     no DNS server that could be asked
`-- MailboxError      a mailbox that cannot be read
"""

from typing import ClassVar

from deliverability.outcome import Cause


class DeliverabilityError(Exception):
    """Mail could not be prepared or handed over."""

    #: The first line of the docstring is the message when none is given.
    default: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        cls.default = (cls.__doc__ or "").partition("\n")[0]

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.default or (self.__doc__ or ""))


class EnvelopeError(DeliverabilityError):
    """This mail cannot be built: one of its parts is not allowed in a header."""


class SigningError(DeliverabilityError):
    """The DKIM key cannot be used."""


class ProviderError(DeliverabilityError):
    """A provider or pace setting makes no sense."""


class SpamdError(DeliverabilityError):
    """SpamAssassin's daemon cannot be asked."""

    def __init__(self, message: str = "", *, nobody: bool = False) -> None:
        super().__init__(message)
        #: Nothing listens there at all.
        self.nobody = nobody


class ResolverError(DeliverabilityError):
    """There is no DNS server that could be asked."""


class MailboxError(DeliverabilityError):
    """The mailbox cannot be read."""


class ConnectError(DeliverabilityError):
    """The mail server cannot be used."""

    def __init__(
        self,
        cause: Cause,
        sentence: str,
        *,
        code: int | None = None,
        enhanced: str | None = None,
        temporary: bool = True,
    ) -> None:
        super().__init__(sentence)
        #: What the pace makes of it: `NETWORK` and `RATE` pass, `AUTHENTICATION` and `TLS` need
        #: a person.
        self.cause = cause
        #: What happened and what to do, for a marketer.
        self.sentence = sentence
        #: SMTP reply code when a server answered.
        self.code = code
        self.enhanced = enhanced
        #: Whether trying again later may help without anybody doing something.
        self.temporary = temporary
