"""Erasing a person and merging two records, over all rooms in one transaction."""

from dataclasses import dataclass

from sqlmodel import Session

from campaigns import Forgotten, forget, outlook, withdraw
from console.wiring import Workspace
from leads import (
    Lead,
    Merged,
    UnknownLead,
    address_key,
    erase,
    find_lead,
    lead_at,
    merge,
    parse_address,
    suppression_of,
    with_merged,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """One lead with all records that were merged into it."""

    ids: tuple[int, ...]
    #: The address of the lead itself.
    email: str
    #: Why the address is suppressed; None when it is not.
    suppressed: str | None
    #: What campaigns kept, or what of it was emptied.
    kept: Forgotten


def person(workspace: Workspace, email: str) -> Person:
    """Whom erasing `email` would be about, and what would go. Raises UnknownLead, AddressError."""
    key = address_key(parse_address(email), workspace.keys.address)
    with workspace.database.writing() as session:
        lead, ids = _found(session, email, key)
        return _person(session, lead, ids, outlook(session, ids))


def erase_person(workspace: Workspace, email: str, *, by: str) -> Person:
    """Erases the lead and what was merged into it. Raises UnknownLead, campaigns.NotPossible."""
    key = address_key(parse_address(email), workspace.keys.address)
    now = workspace.now()
    with workspace.database.writing() as session:
        lead, ids = _found(session, email, key)
        gone = _person(session, lead, ids, forget(session, ids, now=now, by=by))
        erase(session, ids, dice=workspace.random, at=now, by=by)
    return gone


def found_person(
    workspace: Workspace, session: Session, email: str
) -> tuple[Lead, tuple[int, ...]]:
    """The lead and the numbers of all its records. Raises UnknownLead, AddressError."""
    key = address_key(parse_address(email), workspace.keys.address)
    return _found(session, email, key)


def _found(session: Session, email: str, key: str) -> tuple[Lead, tuple[int, ...]]:
    lead = find_lead(session, key)
    if lead is None or lead.id is None:
        raise UnknownLead(f"There is no lead {email}: nothing of it is here")
    return lead, with_merged(session, lead.id)


def _person(session: Session, lead: Lead, ids: tuple[int, ...], kept: Forgotten) -> Person:
    held = suppression_of(session, lead.address_key)
    return Person(ids=ids, email=lead.email, suppressed=held.reason if held else None, kept=kept)


def overwrite(workspace: Workspace) -> bool:
    """Writes a SQLite file anew, so that nothing erased is left in unused pages of it or its log.

    False when somebody else works on it at this moment, or when the database is PostgreSQL.
    """
    return workspace.database.compact()


@dataclass(frozen=True, kw_only=True, slots=True)
class United:
    """Two records that became one."""

    merged: Merged
    keep: str
    other: str
    #: Mails to the other one that no longer leave, sequences it no longer walks.
    waiting: int
    sequences: int


def merge_leads(workspace: Workspace, keep: str, other: str, *, by: str) -> United:
    """Merges the lead `other` into `keep`. Raises LeadError, campaigns.NotPossible."""
    now = workspace.now()
    with workspace.database.writing() as session:
        kept, gone = (_exactly(session, workspace, email) for email in (keep, other))
        if kept.id is None or gone.id is None:
            raise UnknownLead
        done = merge(session, kept.id, gone.id, at=now, by=by)
        left = withdraw(session, [gone.id], reason="merged", now=now, by=by)
        return United(
            merged=done,
            keep=kept.email,
            other=gone.email,
            waiting=left.waiting,
            sequences=left.sequences,
        )


def _exactly(session: Session, workspace: Workspace, email: str) -> Lead:
    lead = lead_at(session, address_key(parse_address(email), workspace.keys.address))
    if lead is None:
        raise UnknownLead(f"There is no lead {email}: potok leads list shows who is there")
    return lead
