"""`potok deliverability check` in terms of a workspace: which rows, for whom."""

from collections.abc import Callable

from sqlmodel import Session

from campaigns import CampaignError, Plan, Prepared, applied_campaigns, prepare, reputation_row
from console.campaigning import plan_campaign
from console.errors import Refused
from console.preflight import check_campaign, check_sender
from console.previews import refuse_unknown
from console.wiring import Workspace
from deliverability import PreflightRow

_OF_CAMPAIGN = ("LIST-1", "CONTENT-1", "SPAM-1", "PLAN-1")


def checkup(
    workspace: Workspace, identity: str | None, campaign: str | None, *, say: Callable[[str], None]
) -> dict[str, tuple[PreflightRow, ...]]:
    """Rows by identity: the one named, those of the campaign, or all of potok.toml.

    Raises Refused, CampaignError, ResolverError.
    """
    known = workspace.settings.identities
    if identity is not None and identity not in known:
        refuse_unknown("identity", identity, list(known))
    if not known:
        raise Refused("potok.toml has no identity yet: write an [identity.NAME]")
    names = [identity] if identity else list(known)
    if campaign is not None and identity is None:
        prepared = workspace.database.read(lambda s: _prepared(workspace, s, campaign))
        names = [each.name for each in prepared.identities]
    found: dict[str, tuple[PreflightRow, ...]] = {}
    for name in names:
        say(f"asking DNS and the mail server about {name} ...")
        rows = list(check_sender(workspace, known[name]))
        if campaign:
            rows += _campaign_rows(workspace, campaign)
        else:
            chosen, why = _only_campaign(workspace, name)
            rows += _chosen_rows(workspace, chosen) if chosen else _untold(why)
        rows.append(
            workspace.database.read(
                lambda s, of=name: reputation_row(s, of, now=workspace.now())  # type: ignore[misc]
            )
        )
        found[name] = tuple(rows)
    return found


def _prepared(workspace: Workspace, session: Session, campaign: str) -> Prepared:
    return prepare(
        session,
        campaign,
        identities=workspace.settings.identities,
        consent_required=workspace.settings.consent_required,
    )


def _only_campaign(workspace: Workspace, identity: str) -> tuple[str | None, str]:
    """The campaign this identity writes, when there is exactly one; else what to type."""

    def work(session: Session) -> list[str]:
        names = []
        for name, *_ in applied_campaigns(session):
            try:
                prepared = _prepared(workspace, session, name)
            except CampaignError:
                continue
            if any(each.name == identity for each in prepared.identities):
                names.append(name)
        return names

    names = workspace.database.read(work)
    if len(names) == 1:
        return names[0], ""
    told = f"one of {', '.join(names[:5])}" if names else "there is none yet"
    return None, f"say which campaign: --campaign NAME ({told})"


def _campaign_rows(workspace: Workspace, campaign: str) -> list[PreflightRow]:
    plan: Plan = plan_campaign(workspace, campaign)
    return check_campaign(workspace, lambda s: _prepared(workspace, s, campaign), plan)


def _chosen_rows(workspace: Workspace, campaign: str) -> list[PreflightRow]:
    """The same for a campaign nobody named: what speaks against planning it is no failure here."""
    try:
        return _campaign_rows(workspace, campaign)
    except (Refused, CampaignError) as error:
        return _untold(str(error))


def _untold(why: str) -> list[PreflightRow]:
    what = "this is about a campaign"
    return [PreflightRow(id=id, level="unknown", what=what, remedy=why) for id in _OF_CAMPAIGN]
