"""Campaign commands in terms of a workspace: create, plan, start."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tomlkit
from sqlmodel import Session

from campaigns import (
    Finding,
    NextStart,
    Plan,
    PlanChanged,
    Prepared,
    Run,
    RunState,
    Status,
    begin,
    findings_of,
    frozen_rule,
    latest_run,
    look,
    next_starts,
    prepare,
    read_definition,
    renew,
    require_run,
    resume,
    run_to,
    status_of,
    unanswered,
    what_forbids,
)
from console.covering import cover_some
from console.covering_desk import desk_for
from console.errors import Refused
from console.planning import plan
from console.preflight import audience_preflight, opinions_of
from console.spam_checks import audience_spam
from console.wiring import Workspace
from console.workspace import apply, unapplied
from deliverability import learnt_rates, seed_domains
from templates import TraitKind


def create_campaign(
    workspace: Workspace,
    name: str,
    *,
    segment: str,
    template: str,
    identity: str | None,
    description: str,
) -> Path:
    """Writes `campaigns/<name>.toml` and applies it; returns the file.

    Raises Refused when the file exists or an identity must be named, DefinitionError for a bad
    name.
    """
    identities = list(workspace.settings.identities)
    if identity is None:
        if len(identities) != 1:
            known = ", ".join(identities) or "none yet"
            raise Refused(f"Say who writes with --identity; potok.toml has: {known}")
        identity = identities[0]
    data = {
        "description": description,
        "segment": segment,
        "template": template,
        "identity": identity,
    }
    read_definition(name, data)
    path = workspace.path / "campaigns" / f"{name}.toml"
    if path.exists():
        raise Refused(f"campaigns/{name}.toml exists: edit it and type potok apply")
    path.parent.mkdir(exist_ok=True)
    document = tomlkit.document()
    document.update(data)
    path.write_text(tomlkit.dumps(document), encoding="utf-8")
    try:
        apply(workspace, now=workspace.now())
        workspace.database.read(lambda session: _prepared(workspace, session, name))
    except Exception:
        # A campaign that cannot be applied leaves no file behind that stops everything else.
        path.unlink()
        apply(workspace, now=workspace.now())
        raise
    return path


def _prepared(
    workspace: Workspace,
    session: Session,
    name: str,
    *,
    first: int | None = None,
    again: bool = False,
) -> Prepared:
    return prepare(
        session,
        name,
        identities=workspace.settings.identities,
        consent_required=workspace.settings.consent_required,
        consent_double=workspace.settings.consent_double,
        first=first,
        again=again,
    )


def _look(workspace: Workspace, name: str, *, again: bool) -> Plan:
    settings = workspace.settings
    now = workspace.now()
    workspace.database.write(lambda session: seed_domains(session, settings.providers))

    def work(session: Session) -> Plan:
        prepared = _prepared(workspace, session, name, again=again)
        learnt = learnt_rates(session)
        found = look(
            session,
            prepared.definition,
            prepared.terms,
            prepared.rule(settings.time_zone),
            versions=prepared.hashes,
            now=now,
            zone=settings.time_zone,
            per_minute=lambda writer, provider: (
                settings.pace_of(provider).expected(learnt.get((writer, provider))) * 60
            ),
            limits={each.name: each.limits for each in prepared.identities},
            domain_per_hour=settings.delivery.domain_per_hour,
            findings=findings_of(
                prepared,
                base_url=settings.web.base_url,
                link_domains=settings.templates.link_domains,
            ),
        )
        tried = _tried(workspace, session, prepared, found)
        return replace(found, findings=found.findings + tried)

    return workspace.database.read(work)


def _tried(
    workspace: Workspace, session: Session, prepared: Prepared, plan: Plan
) -> tuple[Finding, ...]:
    """What a sample of the recipients says: messages that cannot be made are left out one by one
    when it is their turn, so somebody should know before."""
    told = []
    for compiled in prepared.templates:
        desk = desk_for(workspace, compiled, prepared.identity)
        rule = prepared.rule(desk.zone)(desk.now)
        found = cover_some(session, desk, rule, prepared.terms.permission, of=plan.mailable)
        if not found.failed:
            continue
        trait, group = found.of(TraitKind.FAILED)[0]
        sample = "" if found.messages >= plan.mailable else " of a sample"
        told.append(
            Finding(
                id="cannot-render",
                level="warning",
                where=f"templates/{compiled.name}/{trait.where}",
                what=f"{found.failed:,} of {found.messages:,} messages{sample} cannot be made; "
                f"{group.first[0].email}: {group.first[0].note}",
                do="See all of them: potok templates coverage "
                f"{compiled.name} --applied --segment {prepared.definition.segment}",
            )
        )
    return tuple(told)


def _refuse_unapplied(workspace: Workspace) -> None:
    edits = unapplied(workspace)
    if edits:
        raise Refused(
            f"There are edits that are not applied: {', '.join(edits)}. See them with potok plan, "
            "then type potok apply"
        )


def plan_campaign(
    workspace: Workspace, name: str, *, again: bool = False, expected: str | None = None
) -> Plan:
    """What `start` would do now. Raises Refused while edits are unapplied.

    Raises PlanChanged when `expected` is another plan's id.
    """
    _refuse_unapplied(workspace)
    plan = _look(workspace, name, again=again)

    def prepared_in(session: Session) -> Prepared:
        return _prepared(workspace, session, name, again=again)

    spam = audience_spam(workspace, prepared_in)
    sender = audience_preflight(workspace, prepared_in, plan=plan)
    plan = replace(plan, findings=(*plan.findings, *spam, *sender))
    if expected is not None and plan.plan_id != expected:
        raise PlanChanged(
            f"The plan is {plan.plan_id} now and not {expected}: the audience or a version has "
            f"changed. Look again with potok campaigns plan {name}"
        )
    return plan


def unfinished_planning(workspace: Workspace, name: str) -> bool:
    """Whether a start of this campaign was cut off before every row was written."""
    run = workspace.database.read(lambda session: latest_run(session, name))
    return run is not None and run.state == RunState.PLANNING


def start_campaign(
    workspace: Workspace, name: str, *, first: int | None, again: bool, by: str
) -> Status:
    """Opens the run and plans it range by range; a kill on the way is made good by a second start.

    Raises AlreadyRan, NotPossible, UnknownCampaign.
    """
    zone = workspace.settings.time_zone
    now = workspace.now()

    def open_run(session: Session) -> int:
        prepared = _prepared(workspace, session, name, first=first, again=again)
        run = begin(
            session,
            prepared,
            now=now,
            by=by,
            token=f"{workspace.random.getrandbits(48):012x}",
            when_in_doubt=workspace.settings.delivery.when_in_doubt,
        )
        assert run.id is not None  # noqa: S101 - flushed
        return run.id

    run_id = workspace.database.write(open_run)
    plan(
        workspace.database,
        run_id,
        lambda session: frozen_rule(session, run_id, zone=zone),
        now=now,
        zone=zone,
    )
    return workspace.database.read(lambda session: status_of(session, require_run(session, name)))


def resume_campaign(workspace: Workspace, name: str, *, knowing: str = "") -> Run:
    """Goes on with a paused run. A scheduled start that waits for a word begins with what is
    applied now, and is checked like any start.

    `knowing` names who has seen why a breaker stopped it. Raises Refused with what forbids it,
    UnknownCampaign, NotPossible, Tripped.
    """
    settings, now = workspace.settings, workspace.now()
    spam: Sequence[Finding] = ()
    if workspace.database.read(lambda s: unanswered(run_to(s, name, RunState.PAUSED))):
        spam = opinions_of(workspace, lambda s: _prepared(workspace, s, name))

    def work(session: Session) -> Run:
        run = run_to(session, name, RunState.PAUSED)
        if unanswered(run):
            prepared = _prepared(workspace, session, name)
            wrong = what_forbids(
                prepared,
                base_url=settings.web.base_url,
                link_domains=settings.templates.link_domains,
                opinions=spam,
            )
            if wrong:
                raise Refused(f"Not started: {wrong}")
            renew(session, run, prepared, when_in_doubt=settings.delivery.when_in_doubt)
        return resume(session, name, now=now, knowing=knowing)

    return workspace.database.write(work)


def coming_starts(workspace: Workspace) -> dict[str, NextStart]:
    """The next start of every campaign with a schedule, by its name."""
    now, zone = workspace.now(), workspace.settings.time_zone
    found = workspace.database.read(lambda session: next_starts(session, now=now, zone=zone))
    return {each.campaign: each for each in found}


def next_start_document(coming: NextStart | None) -> dict[str, Any] | None:
    """The next start in JSON: the moment in UTC and the zone it was meant in."""
    if coming is None:
        return None
    return {"campaign": coming.campaign, "at": coming.at, "zone": coming.zone.key}
