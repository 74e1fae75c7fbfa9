"""Leads: who they are, where they stand, what they told us, and whether we may write to them.

Does        addresses, leads, preferences, pipeline stages, consent and suppression, the timeline of
            events, notes, intake from files, export.
Owns        lead, preference, consent, suppression, event, import.
Never       sends, renders, or reads a message row; no file lifts a suppression.
Standards   RFC 5321 4.1.2 and RFC 6531 (addresses), RFC 5890 (IDNA), ISO 3166-1, BCP 47.
Read        row.py, versions.py, tables.py, recipient.py
"""

from leads.address import Address, address_key, parse_address
from leads.errors import AddressError, LeadError
from leads.permission import Permission, mailable, why_left_out
from leads.recipient import Recipient
from leads.recipients import recipients
from leads.row import BigKey, Instant, Json, JsonObject, Row
from leads.suppression import suppress
from leads.tables import Consent, Event, Import, Lead, Preference, Suppression
from leads.timeline import record
from leads.versions import (
    Version,
    content_hash,
    current_version,
    current_versions,
    freeze,
)

__all__ = [
    "BigKey",
    "Instant",
    "Json",
    "JsonObject",
    "Row",
    "Version",
    "content_hash",
    "current_version",
    "current_versions",
    "freeze",
    "Lead",
    "Preference",
    "Consent",
    "Suppression",
    "Event",
    "Import",
    "Recipient",
    "recipients",
    "Address",
    "parse_address",
    "address_key",
    "Permission",
    "why_left_out",
    "mailable",
    "suppress",
    "record",
    "LeadError",
    "AddressError",
]
