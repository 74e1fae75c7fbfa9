"""Deliverability: how mail travels so that receivers take it, and what their answers mean.

Does        envelope, link tokens, SMTP transport, outcome classification, lanes and pace (pure).
Owns        domain, lane, identity_day, identity_version, mailbox_cursor, inbound.
Never       decides who is written to; keeps a transaction open while the network is waited for.
Standards   rfc.txt lists each with how much of it we obey.
Read        identity.py, outcome.py, tables.py
"""

from deliverability.identity import (
    DkimKey,
    Identity,
    ImapServer,
    Limits,
    Mailbox,
    SmtpServer,
    Tls,
)
from deliverability.outcome import Cause, Outcome, Phase, Verdict
from deliverability.tables import Domain, IdentityDay, IdentityVersion, Inbound, Lane, MailboxCursor

__all__ = [
    "Identity",
    "SmtpServer",
    "ImapServer",
    "Mailbox",
    "Limits",
    "DkimKey",
    "Tls",
    "Outcome",
    "Verdict",
    "Phase",
    "Cause",
    "Domain",
    "Lane",
    "IdentityDay",
    "IdentityVersion",
    "MailboxCursor",
    "Inbound",
]
