"""Campaigns: what is sent, when, and what became of it.

Does        planning, the queue (claim and finish), sending, the worker, status, verification.
Owns        campaign, sequence, run, message, attempt, enrolment.
Never       commits (the store does), speaks SMTP itself, keeps per-recipient state in memory only.
Standards   RFC 5321 4.5.4.1 (retries) and 6.1 (doubt), RFC 1047 (duplicates), RFC 5322 3.6.4.
Read        states.py, tables.py, cron.py, when.py, public_holidays.py, window.py, definition.py,
            schedule.py, missed.py, start.py, starting.py, starter.py, finding.py, plan.py,
            forecast.py, ends.py, runs.py, findings.py, list_check.py, feedback_id.py,
            identity_facts.py, planning.py (with openings.py, holdout.py, variants.py, drawing.py),
            variant_results.py (with verdict.py), choosing.py, chooser.py, ranges.py, rules.py,
            rfc_message_id.py, admit.py, candidates.py, samples.py, domain_cap.py, gates.py,
            queue.py, due_lanes.py, circumstances.py, writing.py, scribes.py, finish.py,
            finish_together.py, finisher.py, doubt.py, settling.py, slots.py, worker_state.py,
            delivery.py, connections.py, suspension.py, lane.py, breaking.py, day_end.py,
            watching.py, standing.py, sending.py, worker.py (with survey.py), mail_routes.py (with
            moving.py), observe.py, store.py, status.py, verify.py, verify_sequences.py,
            verify_variants.py, shown.py, opt_out.py, wishes.py, sequence_definition.py,
            sequences.py, sequence_runs.py, sequence_status.py, enrolments.py (with
            stage_entries.py, segment_entries.py), advancing.py, ended.py, what came back:
            matching.py, evidence.py, noting.py, feedback.py, polling.py, answers.py, clicks.py,
            clicks_counted.py, opens.py, opens_counted.py; why it waits: lane_standing.py, holds.py,
            lead_holds.py; forgetting.py, errors.py Read states.py, tables.py, cron.py, when.py,
            window.py, definition.py, schedule.py, missed.py, start.py, starting.py, starter.py,
            plan.py, forecast.py, runs.py, findings.py, list_check.py, feedback_id.py, planning.py
            (with openings.py, holdout.py, variants.py, drawing.py), variant_results.py (with
            verdict.py), choosing.py, chooser.py, ranges.py, rules.py, rfc_message_id.py, admit.py,
            candidates.py, samples.py, gates.py, queue.py, due_lanes.py, circumstances.py,
            writing.py, scribes.py, finish.py, finish_together.py, finisher.py, doubt.py,
            settling.py, slots.py, delivery.py, connections.py, suspension.py, lane.py, breaking.py,
            day_end.py, watching.py, standing.py, sending.py, worker.py (with survey.py),
            mail_routes.py (with moving.py), observe.py, store.py, status.py, verify.py,
            verify_sequences.py, verify_variants.py, shown.py, opt_out.py, wishes.py,
            sequence_definition.py, sequences.py, sequence_runs.py, sequence_status.py,
            enrolments.py (with stage_entries.py, segment_entries.py), advancing.py, ended.py, what
            came back: matching.py, evidence.py, noting.py, feedback.py, polling.py, answers.py,
            clicks.py, clicks_counted.py, opens.py, opens_counted.py; why it waits:
            lane_standing.py, holds.py, company_holds.py, lead_holds.py; personal.py, forgetting.py,
            errors.py
"""

from campaigns.answers import Answer, answer, answers
from campaigns.breaking import campaign_of, open_names
from campaigns.choosing import Choice, choice_of, choose, reserved
from campaigns.circumstances import Circumstances, asks, circumstances
from campaigns.clicks import note_click
from campaigns.clicks_counted import Clicked, clicked_in
from campaigns.company_holds import company_hold
from campaigns.day_end import turn_days
from campaigns.definition import CampaignDefinition, of_body, read_definition
from campaigns.doubt import doubt_count, doubtful, resolve
from campaigns.ended import Ended
from campaigns.errors import (
    AlreadyRan,
    CampaignError,
    DefinitionError,
    NotPossible,
    PlanChanged,
    Tripped,
    UnknownCampaign,
)
from campaigns.feedback import Desk, Taken, take
from campaigns.finding import Finding
from campaigns.findings import findings_of
from campaigns.forgetting import Forgotten, Withdrawn, forget, outlook, withdraw
from campaigns.holdout import Comparison, compare
from campaigns.holds import Hold, LaneLimits, holds_of, state_of
from campaigns.identity_facts import identity_facts
from campaigns.lane_standing import Standing, closer, rates_by_hour, standings, turn_opens
from campaigns.lead_holds import Waiting, waiting_of
from campaigns.list_check import list_facts, list_row, reputation_row
from campaigns.mail_routes import LookedUp, RouteLookups
from campaigns.observe import LaneView, Observer
from campaigns.opens import note_open
from campaigns.opens_counted import Opened, opened_in
from campaigns.opt_out import Asked, opt_out, who_asks
from campaigns.personal import Mailed, came_back, mailed, walked
from campaigns.plan import Plan, look
from campaigns.planning import Rule, left_out, plan_range
from campaigns.polling import Polled, poll
from campaigns.queue import Claimed
from campaigns.ranges import Beside, plan_run
from campaigns.rules import frozen_rule
from campaigns.runs import (
    Terms,
    cancel,
    latest_run,
    pause,
    require_run,
    resume,
    run_to,
    stop_everything,
    unanswered,
)
from campaigns.scribes import Scribes
from campaigns.sending import FULL_SPEED_WINDOW, Sending
from campaigns.sequence_definition import SequenceDefinition, read_sequence, sequence_of
from campaigns.sequence_runs import open_sequences, require_sequence
from campaigns.sequence_status import (
    Enrolled,
    SequenceStatus,
    applied_sequences,
    enrolments_of,
    exit_lead,
    sequence_status,
)
from campaigns.settling import cancel_rows
from campaigns.shown import Shown, messages_of, show, web_page
from campaigns.standing import Stand, stands
from campaigns.start import Prepared, applied_campaigns, begin, prepare, renew
from campaigns.starting import NextStart, Starting, next_start_of, next_starts, what_forbids
from campaigns.states import RunState, State
from campaigns.status import Status, status_of
from campaigns.store import Clock, Store
from campaigns.tables import Attempt, Campaign, Enrolment, Message, Run, Sequence
from campaigns.variant_results import VariantResults, variant_results
from campaigns.verify import Contradiction, verify
from campaigns.when import When, instant_of
from campaigns.wishes import (
    PAGE,
    Choosing,
    ask_for_new_address,
    carry_out,
    choose_by_link,
    come_back,
    identity_of,
    mail_topics,
    who_chooses,
)
from campaigns.worker import Worker
from campaigns.writing import (
    CONFIRM,
    NEW_ADDRESS,
    NOBODY,
    OPENED_LINK,
    PREFERENCES,
    UNSUBSCRIBE,
    VIEW,
    Office,
    Written,
    enclosures,
    tracking_over,
    write_trial,
)

__all__ = [
    "Campaign",
    "Run",
    "Message",
    "Attempt",
    "Sequence",
    "Enrolment",
    "State",
    "RunState",
    "CampaignDefinition",
    "read_definition",
    "When",
    "instant_of",
    "of_body",
    "SequenceDefinition",
    "read_sequence",
    "sequence_of",
    "open_sequences",
    "require_sequence",
    "applied_sequences",
    "sequence_status",
    "SequenceStatus",
    "enrolments_of",
    "Enrolled",
    "exit_lead",
    "Prepared",
    "prepare",
    "begin",
    "findings_of",
    "Choice",
    "choice_of",
    "choose",
    "reserved",
    "applied_campaigns",
    "renew",
    "Starting",
    "NextStart",
    "next_start_of",
    "next_starts",
    "what_forbids",
    "Terms",
    "Finding",
    "Plan",
    "look",
    "plan_range",
    "left_out",
    "list_facts",
    "list_row",
    "reputation_row",
    "plan_run",
    "Rule",
    "Beside",
    "frozen_rule",
    "latest_run",
    "require_run",
    "run_to",
    "unanswered",
    "pause",
    "resume",
    "cancel",
    "cancel_rows",
    "stop_everything",
    "Worker",
    "FULL_SPEED_WINDOW",
    "Scribes",
    "Sending",
    "Office",
    "Written",
    "write_trial",
    "tracking_over",
    "enclosures",
    "Ended",
    "Observer",
    "LaneView",
    "Claimed",
    "RouteLookups",
    "LookedUp",
    "Store",
    "Clock",
    "Status",
    "status_of",
    "Contradiction",
    "verify",
    "Shown",
    "show",
    "messages_of",
    "doubtful",
    "doubt_count",
    "resolve",
    "identity_facts",
    "NOBODY",
    "UNSUBSCRIBE",
    "VIEW",
    "PREFERENCES",
    "NEW_ADDRESS",
    "web_page",
    "Comparison",
    "compare",
    "VariantResults",
    "variant_results",
    "Circumstances",
    "asks",
    "circumstances",
    "Desk",
    "Taken",
    "take",
    "Polled",
    "poll",
    "Answer",
    "answer",
    "answers",
    "Asked",
    "who_asks",
    "note_click",
    "Clicked",
    "clicked_in",
    "opt_out",
    "Forgotten",
    "Withdrawn",
    "forget",
    "outlook",
    "withdraw",
    "Standing",
    "standings",
    "closer",
    "rates_by_hour",
    "turn_opens",
    "Hold",
    "LaneLimits",
    "holds_of",
    "company_hold",
    "state_of",
    "Waiting",
    "waiting_of",
    "CampaignError",
    "DefinitionError",
    "UnknownCampaign",
    "AlreadyRan",
    "NotPossible",
    "PlanChanged",
    "Tripped",
    "Stand",
    "stands",
    "turn_days",
    "open_names",
    "campaign_of",
]

__all__ += ["Mailed", "mailed", "came_back", "walked", "note_open", "Opened", "opened_in"]
__all__ += ["OPENED_LINK", "CONFIRM", "PAGE", "Choosing", "who_chooses", "choose_by_link"]
__all__ += ["carry_out", "come_back", "identity_of", "ask_for_new_address", "mail_topics"]
