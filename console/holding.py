"""What breakers hold back, in words with the command that lets it go on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session

from campaigns import Run, Stand, Terms, Tripped, campaign_of, open_names, stands
from console.wiring import Workspace
from deliverability import Held, Scope, acknowledge, held, holding, lane_named, lift_pauses


@dataclass(frozen=True, kw_only=True, slots=True)
class Stopped:
    """One thing that is held back, or that will be if it goes on like this."""

    what: str
    do: str
    #: It only warns: everything still leaves.
    warns: bool = False
    facts: dict[str, Any] = field(default_factory=dict)

    def words(self) -> str:
        return f"{self.what}. {self.do[:1].upper()}{self.do[1:]}"

    def document(self) -> dict[str, Any]:
        """The form for scripts."""
        return {"warning": self.warns, "what": self.what, "do": self.do, **self.facts}


def what_stops(workspace: Workspace, run: Run, *, warnings: bool = False) -> list[Stopped]:
    """What holds back this run and those who write it; with `warnings` also what may soon."""
    senders = Terms.of_body(run.terms).senders(run.identity)
    names = [(Scope.RUN, str(run.id)), *((Scope.IDENTITY, each) for each in senders)]

    def work(session: Session) -> list[Stopped]:
        mine = [each for each in holding(session) if (Scope(each.scope), each.key) in names]
        found = [_told(session, each) for each in mine]
        if warnings:
            found += _warnings(session, mine, names, now=workspace.now())
        return found

    return workspace.database.read(work)


def everything_stopped(session: Session, *, now: datetime) -> list[Stopped]:
    """Whatever is held back, and what may be soon, in the whole workspace."""
    all_ = holding(session)
    found = [_told(session, each) for each in all_]
    return found + _warnings(session, all_, open_names(session), now=now)


def _warnings(
    session: Session, stopped: Sequence[Held], names: Sequence[tuple[Scope, str]], *, now: datetime
) -> list[Stopped]:
    """What is on its way to being stopped, and is not yet."""
    known = {(Scope(each.scope), each.key) for each in stopped}
    left = [name for name in names if name not in known]
    return [_warned(each) for each in stands(session, left, now=now)]


def stopped_identities(workspace: Workspace) -> dict[str, str]:
    """Identity -> why it is stopped."""
    return {
        each.key: each.reason
        for each in workspace.database.read(holding)
        if each.scope == Scope.IDENTITY and each.open
    }


def release_identity(workspace: Workspace, name: str, *, knowing: str) -> list[Stopped]:
    """Lets an identity go on that a breaker stopped; what had stopped it.

    `knowing` is who has seen why. Raises Refused for an unknown identity, Tripped without it.
    """
    workspace.settings.sender(name)
    now = workspace.now()

    def work(session: Session) -> list[Stopped]:
        lanes = [
            each
            for each in holding(session)
            if each.scope == Scope.LANE and lane_named(session, int(each.key))[0] == name
        ]
        mine = [*held(session, Scope.IDENTITY, name), *lanes]
        open_ = [each for each in mine if each.open]
        if open_ and not knowing:
            raise Tripped(
                f"{name} is stopped: {'; '.join(each.reason for each in open_)}. When you know "
                f"why and have put it right: potok identity resume {name} --i-know"
            )
        told = [_told(session, each) for each in open_]
        for each in open_:
            acknowledge(session, Scope(each.scope), each.key, now=now, by=knowing)
        if open_:
            lift_pauses(session, name, now=now)
        return told

    return workspace.database.write(work)


def show_stopped(say: Callable[[str], None], stopped: Sequence[Stopped]) -> None:
    """One line each."""
    for each in stopped:
        say(f"[!] {each.words()}")


def _told(session: Session, each: Held) -> Stopped:
    facts = each.document()
    if each.scope == Scope.LANE:
        identity, provider = lane_named(session, int(each.key))
        return Stopped(
            what=f"{identity} to {provider} rests until {each.until:%Y-%m-%d %H:%M} UTC: "
            f"{each.reason}",
            do=f"it is tried again by itself; at once: potok identity resume {identity} --i-know",
            facts=facts | {"name": f"{identity} to {provider}"},
        )
    run = each.scope == Scope.RUN
    name = campaign_of(session, int(each.key)) if run else each.key
    if not each.open:
        return Stopped(
            what=f"{name} goes on with five messages first (it was stopped: {each.reason})",
            do="the rest follows by itself when nothing bad came of them",
            warns=True,
            facts=facts | {"name": name},
        )
    command = "campaigns" if run else "identity"
    return Stopped(
        what=f"{name} is stopped since {each.tripped_at:%Y-%m-%d %H:%M} UTC: {each.reason}",
        do=f"see why, put it right, then potok {command} resume {name} --i-know",
        facts=facts | {"name": name},
    )


def _warned(stand: Stand) -> Stopped:
    return Stopped(
        what=f"{stand.name}: {stand.words()}",
        do="sending stops by itself if it gets worse: look where these addresses come from",
        warns=True,
        facts=stand.document(),
    )
