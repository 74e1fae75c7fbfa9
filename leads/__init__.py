"""Leads: who they are, where they stand, what they told us, and whether we may write to them.

Does        addresses, leads, preferences, pipeline stages, consent and suppression, what leads
            chose to get, the timeline of events, notes, deals, tasks, events of your own, merging
            and erasing people, intake from files, export.
Owns        lead, preference, consent, consent_request, consent_wording, suppression, wish,
            barred_topic, address_change, event, deal, task, import.
Never       sends, renders, or reads a message row; no file lifts a suppression.
Standards   RFC 5321 4.1.2 and RFC 6531 (addresses), RFC 5890 (IDNA), ISO 3166-1, ISO 4217, BCP 47.
Read        row.py, versions.py, folded.py, tables.py, wish_tables.py, errors.py, address.py,
            recipient.py, recipients.py, finding.py, timeline.py, fields.py, names.py, changing.py,
            preferences.py, pipeline.py, consent.py, suppression.py, wishes.py, codes.csv,
            permission.py, money.py, telling.py, records.py, deals.py, tasks.py, own_events.py,
            merging.py, address_changes.py; double opt-in: consent_tables.py, confirming.py,
            signing_up.py, consent_requests.py, consent_evidence.py; personal.py, erasing.py,
            intake/, export.py
"""

from leads.address import Address, address_key, parse_address
from leads.address_changes import (
    Asking,
    Moving,
    ask_for_address,
    asked,
    confirm_address,
    moving,
    take_asking,
)
from leads.changing import add_note, set_fields
from leads.confirming import (
    Client,
    Confirming,
    Wording,
    confirm_consent,
    confirming,
    request_consent,
)
from leads.consent import consents, give_consent, withdraw_consent
from leads.consent_evidence import requests_of
from leads.consent_requests import ConsentMail, request_sent, take_request
from leads.consent_tables import ConsentRequest, ConsentWording
from leads.deals import (
    change_deal,
    close_deal,
    deals_of,
    find_deal,
    open_deal,
    reopen_deal,
)
from leads.erasing import erase, with_merged
from leads.errors import (
    AddressError,
    FieldError,
    FileError,
    LeadError,
    MappingError,
    StageError,
    UnknownDeal,
    UnknownLead,
    UnknownTask,
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
from leads.folded import folded
from leads.intake.about import Circumstances
from leads.intake.counts import Counts, Taken
from leads.intake.deals import take_in_deals
from leads.intake.events import take_in_events
from leads.intake.mapping import Column, map_columns, targets_of
from leads.intake.opening import open_source
from leads.intake.pace import Pace
from leads.intake.reading import Source
from leads.intake.run import take_in
from leads.intake.terms import ON_DUPLICATE, Terms
from leads.intake.values import joined, moment
from leads.merging import Merged, merge
from leads.money import CURRENCIES, amount_of, currency_of
from leads.own_events import event_name, note_event, said_value
from leads.permission import (
    FrequencyCap,
    Permission,
    barred,
    mailable,
    who_paused,
    who_switched_off,
    who_took_back,
    who_withdrew,
    why_barred,
    why_left_out,
    why_left_out_of,
)
from leads.personal import personal_record
from leads.pipeline import Pipeline, Stage, find_pipeline, move_stage, stage_named
from leads.preferences import forget_preference, prefer
from leads.recipient import OpenDeal, Recipient
from leads.recipients import open_deals, recipients
from leads.row import BigKey, Hundredths, Instant, Json, JsonObject, Row
from leads.signing_up import sign_up
from leads.suppression import (
    STRENGTH,
    UNCONFIRMED,
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
from leads.tasks import (
    add_task,
    change_task,
    due_moment,
    find_task,
    finish_task,
    reopen_task,
    tasks_of,
)
from leads.timeline import KINDS, Entry, record, record_all, timeline
from leads.versions import (
    Version,
    content_hash,
    current_version,
    current_versions,
    freeze,
)
from leads.wish_tables import AddressChange, BarredTopic, Wish
from leads.wishes import (
    PAUSE,
    WEEK,
    Choice,
    Evidence,
    barred_topics,
    choices_of,
    choose,
    unwanted_topics,
    wish_of,
)

__all__ = [
    "folded",
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
    "OpenDeal",
    "open_deals",
    "Address",
    "parse_address",
    "address_key",
    "Permission",
    "FrequencyCap",
    "why_left_out",
    "why_left_out_of",
    "barred",
    "why_barred",
    "who_withdrew",
    "who_paused",
    "who_switched_off",
    "who_took_back",
    "Wish",
    "BarredTopic",
    "AddressChange",
    "PAUSE",
    "WEEK",
    "Choice",
    "Evidence",
    "choose",
    "choices_of",
    "wish_of",
    "barred_topics",
    "unwanted_topics",
    "mailable",
    "suppress",
    "record",
    "record_all",
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
    "Pace",
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
    "UnknownDeal",
    "UnknownTask",
    "CURRENCIES",
    "amount_of",
    "currency_of",
    "open_deal",
    "change_deal",
    "close_deal",
    "reopen_deal",
    "deals_of",
    "find_deal",
    "add_task",
    "change_task",
    "finish_task",
    "reopen_task",
    "tasks_of",
    "find_task",
    "due_moment",
    "event_name",
    "said_value",
    "note_event",
    "Circumstances",
    "take_in_deals",
    "take_in_events",
]

__all__ += ["Client", "Confirming", "ConsentMail", "ConsentRequest", "ConsentWording", "Wording"]
__all__ += ["confirm_consent", "confirming", "request_consent", "request_sent", "requests_of"]
__all__ += ["sign_up", "take_request", "UNCONFIRMED", "personal_record"]
__all__ += ["Asking", "Moving", "ask_for_address", "asked", "confirm_address", "moving"]
__all__ += ["take_asking"]
