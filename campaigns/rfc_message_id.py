"""Message-IDs: made from what names the message, found again by parsing.

`<run token>.<step>.<pass>.<lead token>@<identity's domain>`; planning concatenates the same parts
in SQL, so a million rows need no Python. RFC 5322 3.6.4: globally unique, dot-atom on both sides.

They have no index: lead tokens are random, so it would be written anew with every range of a run.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, select
from sqlmodel import col

from campaigns.tables import Message, Run
from leads import Lead

_OURS = re.compile(
    r"<?(?P<run>[0-9a-f]{12})\.(?P<step>[a-z0-9_-]+)\.(?P<pass>\d+)\.(?P<lead>[0-9a-f]{16})@"
    r"(?P<domain>[a-z0-9.-]+)>?",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageName:
    """What a Message-ID of ours says."""

    run_token: str
    step: str
    pass_: int
    lead_token: str
    domain: str

    def __str__(self) -> str:
        """Without angle brackets, as stored."""
        return f"{self.run_token}.{self.step}.{self.pass_}.{self.lead_token}@{self.domain}"


def find_names(text: str) -> list[MessageName]:
    """Every Message-ID of our form in `text` (a References header, a quoted report), in order."""
    return [
        MessageName(
            run_token=match["run"].lower(),
            step=match["step"].lower(),
            pass_=int(match["pass"]),
            lead_token=match["lead"].lower(),
            domain=match["domain"].lower(),
        )
        for match in _OURS.finditer(text)
    ]


def is_named(names: Collection[MessageName]) -> ColumnElement[bool]:
    """Whether a message is one of those, as SQL on Message: through its run and its lead."""
    runs = select(col(Run.id)).where(col(Run.token).in_({each.run_token for each in names}))
    leads = select(col(Lead.id)).where(col(Lead.token).in_({each.lead_token for each in names}))
    return and_(
        col(Message.run_id).in_(runs),
        col(Message.lead_id).in_(leads),
        col(Message.rfc_message_id).in_({str(each) for each in names}),
    )
