"""Leads: who they are, where they stand, what they told us, and whether we may write to them.

Does        addresses, leads, preferences, pipeline stages, consent and suppression, the timeline of
            events, notes, merging and erasing people, intake from files, export.
Owns        lead, preference, consent, suppression, event, deal, task, import.
Never       sends, renders, or reads a message row; no file lifts a suppression.
Standards   RFC 5321 4.1.2 and RFC 6531 (addresses), RFC 5890 (IDNA), ISO 3166-1, BCP 47.
Read        row.py, versions.py, tables.py, errors.py, address.py, recipient.py, recipients.py,
            finding.py, timeline.py, fields.py, names.py, changing.py, preferences.py, pipeline.py,
            consent.py, suppression.py, codes.csv,
            permission.py, merging.py, erasing.py, intake/, export.py
"""

from leads.address import Address, address_key, parse_address
from leads.changing import add_note, set_fields
from leads.consent import consents, give_consent, withdraw_consent
from leads.erasing import erase, with_merged
from leads.errors import (
    AddressError,
    FieldError,
    FileError,
    LeadError,
    MappingError,
    StageError,
    UnknownLead,
)
from leads.export import export_documents, export_rows
from leads.fields import FIELDS
from leads.finding import (
    Brief,
    Profile,
    browse,
    containing,
    count_leads,
    find_lead,
    lead_at,
    present,
    profile,
)
from leads.intake.counts import Counts, Taken
from leads.intake.mapping import Column, map_columns, targets_of
from leads.intake.opening import open_source
from leads.intake.reading import Source
from leads.intake.run import take_in
from leads.intake.terms import ON_DUPLICATE, Terms
from leads.intake.values import joined, moment
from leads.merging import Merged, merge
from leads.permission import Permission, mailable, why_left_out
from leads.pipeline import Pipeline, Stage, find_pipeline, move_stage, stage_named
from leads.preferences import forget_preference, prefer
from leads.recipient import Recipient
from leads.recipients import recipients
from leads.row import BigKey, Hundredths, Instant, Json, JsonObject, Row
from leads.suppression import (
    STRENGTH,
    Held,
    count_suppressed,
    list_suppressed,
    reason_named,
    suppress,
    suppress_all,
    suppression_of,
    unsuppress,
)
from leads.tables import Consent, Deal, Event, Import, Lead, Preference, Suppression, Task
from leads.timeline import KINDS, Entry, record, timeline
from leads.versions import (
    Version,
    content_hash,
    current_version,
    current_versions,
    freeze,
)

__all__ = [
    "BigKey",
    "Hundredths",
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
    "Deal",
    "Task",
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
    "find_lead",
    "Brief",
    "Profile",
    "browse",
    "profile",
    "present",
    "FIELDS",
    "UnknownLead",
    "forget_preference",
    "count_leads",
    "containing",
    "Stage",
    "Pipeline",
    "find_pipeline",
    "stage_named",
    "move_stage",
    "set_fields",
    "prefer",
    "add_note",
    "give_consent",
    "withdraw_consent",
    "consents",
    "unsuppress",
    "Column",
    "map_columns",
    "Source",
    "open_source",
    "moment",
    "Counts",
    "Taken",
    "Terms",
    "take_in",
    "export_documents",
    "export_rows",
    "ON_DUPLICATE",
    "Held",
    "count_suppressed",
    "list_suppressed",
    "suppress_all",
    "STRENGTH",
    "reason_named",
    "suppression_of",
    "KINDS",
    "Entry",
    "timeline",
    "StageError",
    "FieldError",
    "FileError",
    "MappingError",
    "targets_of",
    "joined",
    "lead_at",
    "erase",
    "with_merged",
    "merge",
    "Merged",
]
