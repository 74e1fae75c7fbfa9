"""Deliverability: how mail travels so that receivers take it, and what their answers mean.

Does        envelope and DKIM signature, link tokens, transports (SMTP, a folder of .eml files),
            what answers mean, providers and lanes, pace (pure), day caps, presets of companies,
            DNS asked, a sender's preflight, mailboxes read, and what comes back told apart (pure),
            clicks included.
Owns        domain, lane, lane_move, identity_day, identity_version, mailbox_cursor, inbound,
            breaker, warm_up, preflight.
Never       decides who is written to; keeps a transaction open while the network is waited for;
            asks a clock or dice of its own.
Standards   rfc.txt lists each with how much of it we obey.
Read        identity.py, outcome.py, tables.py, errors.py; what travels: headers.py, quoted.py,
            dkim.py, verifying.py, outgoing.py,
            envelope.py, bodies.py, links.py, click_links.py; how: transport.py,
            wire.py, session.py, relay_id.py, smtp.py, connecting.py, folder.py; what came of it:
            answer_table.py (answers.toml), classify.py, retries.py, pace_settings.py,
            odd_answers.py, rate_control.py, pace.py; for whom: providers.py (providers.toml),
            lanes.py, lane_memory.py, days.py, spread.py, warm_up.py (warm_up.toml), breaker.py,
            limit_tables.py, warm_up_state.py, breaker_state.py, presets.py (presets.toml);
            trial.py, which tries them all; spamd.py (SpamAssassin asked);
            DNS: resolver.py, mail_route.py, domains.py; preflight/, remembered.py;
            what comes back: mailbox.py, maildir.py, inbound.py (inbound.toml, inbound_words.py),
            inbound_mime.py, inbound_report.py, inbound_notice.py, inbound_people.py,
            inbound_origin.py; click_judge.py (click_judge.toml), open_judge.py (open_judge.toml)
"""

from deliverability.answer_table import AnswerRow, answer_row, answers_of
from deliverability.bodies import Enclosure
from deliverability.breaker import (
    LANE_ANSWERS,
    LAST_MESSAGES,
    LISTEN,
    MOST_DEFERRED,
    PROBES,
    DeferralBreaker,
    Judged,
    Level,
    Measure,
    Scope,
    Window,
    can_trip,
    judge_windows,
    what_was_seen,
)
from deliverability.breaker_state import (
    Held,
    acknowledge,
    close_breakers,
    held,
    holding,
    last_acknowledged,
    trip,
)
from deliverability.classify import classify, deciding
from deliverability.click_judge import (
    EarlierVisit,
    Judgement,
    Visit,
    click_headers,
    click_memory,
    judge_click,
)
from deliverability.click_links import ClickLinks, FollowedLink, click_links, read_click
from deliverability.days import give_day, last_taken, take_day, used_today
from deliverability.domains import note_route, takes_no_mail
from deliverability.envelope import Envelope, compose
from deliverability.errors import (
    ConnectError,
    DeliverabilityError,
    EnvelopeError,
    MailboxError,
    ProviderError,
    ResolverError,
    SigningError,
    SpamdError,
)
from deliverability.identity import DkimKey, Identity, ImapServer, Limits, Mailbox, SmtpServer, Tls
from deliverability.inbound import Failure, InboundKind, Reading, classify_inbound, readable
from deliverability.inbound_origin import Origin
from deliverability.lane_memory import learnt_rates, lift_pauses, pace_state, save_pace
from deliverability.lanes import identity_version, lane_named, lanes, seed_domains
from deliverability.limit_tables import Breaker, WarmUp
from deliverability.links import Ticket, make_token, read_token
from deliverability.mail_route import CLOSED, MailRoute, Route, is_special, mail_route
from deliverability.mailbox import Arrived, Batch, MailboxReader, fingerprint
from deliverability.maildir import Maildir
from deliverability.open_judge import judge_open, open_again, open_scan
from deliverability.outcome import Cause, Outcome, Phase, Verdict
from deliverability.outgoing import is_stale
from deliverability.pace import UNTIL_SOMEBODY_LOOKS, Lessons, Pacer, PaceState, RateMove
from deliverability.pace_settings import PaceSettings
from deliverability.preflight import HttpReply, PreflightRow, RowLevel, check_identity, worst
from deliverability.presets import Preset, presets
from deliverability.providers import (
    OTHER,
    Provider,
    provider_of_mx,
    provider_table,
    shipped_providers,
)
from deliverability.rate_control import Learnt
from deliverability.remembered import remember, remembered
from deliverability.resolver import DnsResolver, Resolver
from deliverability.retries import retry_after, unit
from deliverability.smtp import connect
from deliverability.spamd import SpamRule, SpamScore, spam_score
from deliverability.spread import HOURS, free_at, gap
from deliverability.tables import (
    Domain,
    IdentityDay,
    IdentityVersion,
    Inbound,
    Lane,
    LaneMove,
    MailboxCursor,
)
from deliverability.transport import Connection, Fault, is_loopback
from deliverability.trial import Step, try_identity
from deliverability.warm_up import (
    DayFacts,
    Decision,
    Schedule,
    next_step,
    own_schedule,
    shipped_schedules,
)
from deliverability.warm_up_state import (
    Progress,
    allowance,
    allowance_today,
    begin_warm_up,
    progress,
    set_step,
)

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
    "Envelope",
    "compose",
    "is_stale",
    "Enclosure",
    "Ticket",
    "make_token",
    "read_token",
    "ClickLinks",
    "FollowedLink",
    "click_links",
    "read_click",
    "Visit",
    "EarlierVisit",
    "Judgement",
    "judge_click",
    "click_headers",
    "click_memory",
    "judge_open",
    "open_again",
    "open_scan",
    "Connection",
    "Fault",
    "connect",
    "is_loopback",
    "classify",
    "deciding",
    "AnswerRow",
    "answer_row",
    "answers_of",
    "PaceSettings",
    "PaceState",
    "Learnt",
    "RateMove",
    "Lessons",
    "Pacer",
    "UNTIL_SOMEBODY_LOOKS",
    "pace_state",
    "save_pace",
    "lift_pauses",
    "learnt_rates",
    "retry_after",
    "unit",
    "OTHER",
    "Provider",
    "shipped_providers",
    "provider_table",
    "provider_of_mx",
    "seed_domains",
    "lanes",
    "lane_named",
    "identity_version",
    "Preset",
    "presets",
    "Step",
    "try_identity",
    "take_day",
    "give_day",
    "used_today",
    "last_taken",
    "HOURS",
    "gap",
    "free_at",
    "Schedule",
    "shipped_schedules",
    "own_schedule",
    "DayFacts",
    "Decision",
    "next_step",
    "Progress",
    "progress",
    "begin_warm_up",
    "set_step",
    "allowance",
    "allowance_today",
    "Scope",
    "Measure",
    "Level",
    "Window",
    "Judged",
    "DeferralBreaker",
    "judge_windows",
    "can_trip",
    "what_was_seen",
    "LAST_MESSAGES",
    "LISTEN",
    "PROBES",
    "LANE_ANSWERS",
    "MOST_DEFERRED",
    "Held",
    "held",
    "holding",
    "trip",
    "acknowledge",
    "close_breakers",
    "last_acknowledged",
    "Breaker",
    "WarmUp",
    "InboundKind",
    "Failure",
    "Reading",
    "Origin",
    "classify_inbound",
    "readable",
    "Arrived",
    "Batch",
    "MailboxReader",
    "Maildir",
    "fingerprint",
    "SpamRule",
    "SpamScore",
    "spam_score",
    "SpamdError",
    "Resolver",
    "DnsResolver",
    "ResolverError",
    "MailRoute",
    "Route",
    "CLOSED",
    "mail_route",
    "is_special",
    "note_route",
    "takes_no_mail",
    "remember",
    "remembered",
    "PreflightRow",
    "RowLevel",
    "worst",
    "HttpReply",
    "check_identity",
    "DeliverabilityError",
    "MailboxError",
    "EnvelopeError",
    "SigningError",
    "ConnectError",
    "ProviderError",
    "Domain",
    "Lane",
    "LaneMove",
    "IdentityDay",
    "IdentityVersion",
    "MailboxCursor",
    "Inbound",
]
