"""Setting the demo's stage: a workspace, the leads in it, and a campaign ready to leave."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlmodel import Session, col

from campaigns import Message, Plan, Run, State, require_run
from console.campaigning import plan_campaign, start_campaign
from console.demo.lapse import TIMES
from console.importing import Wish, import_file
from console.new_workspace import Answers, Server, make_workspace
from console.suppressing import suppress_file
from console.wiring import Workspace, open_workspace
from console.workspace import apply
from deliverability import Lane
from leads import Counts, Lead, move_stage

SHIPPED = Path(__file__).with_name("workspace")
LEADS = Path(__file__).with_name("leads.csv")
CAMPAIGN = "answers"
SEGMENT = "interested"
#: Brought along from whatever was used before.
OPTED_OUT = "opted-out.txt"
#: Mails that follow one another, and who gets them because they enter a stage.
SEQUENCE = "after-demo"
REQUESTS = "demo-requests.txt"
PLACE = ("sales", "demo")
#: What comes back to the demo's sender, in the workspace.
INBOX = "inbox"
#: The port the shipped `potok.toml` is written with.
PORT = "port = 2525"

#: Told of each thing that is ready: what it is, and a few words about it.
Ready = Callable[[str, str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """A workspace in which everything is ready to be sent."""

    workspace: Workspace
    arrived: Counts
    #: Addresses that opted out before we came.
    suppressed: int
    plan: Plan
    run_id: int
    sequence_run_id: int
    #: Leads that were moved to the stage that starts the sequence.
    moved: int
    #: Lane id -> provider and messages planned for it.
    lanes: Mapping[int, tuple[str, int]]


def make_demo_workspace(folder: Path, *, port: int, now: datetime) -> Workspace:
    """What `potok init` writes, with the demo's own files over it; the receiver is at `port`."""
    answers = Answers(
        sender="Anna Nowak <anna@potok-demo.example>",
        time_zone="Europe/Warsaw",
        server=Server(host="127.0.0.1", port=port, tls="none"),
    )
    make_workspace(folder, answers, now=now)
    shutil.copytree(SHIPPED, folder, dirs_exist_ok=True)
    shutil.copy(LEADS, folder)
    settings = folder / "potok.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace(PORT, f"port = {port}"), encoding="utf-8")
    workspace = open_workspace(folder)
    apply(workspace, now=now)
    return workspace


def set_the_stage(workspace: Workspace, *, by: str, ready: Ready) -> Stage:
    """Leads in, those who opted out suppressed, the campaign planned and started."""
    path = workspace.path
    arrived = import_file(workspace, path / LEADS.name, Wish(), by=by).taken.counts
    ready(
        "leads",
        f"{arrived.added} came in from {arrived.read} rows; {arrived.rejected} rows were turned "
        f"down, {arrived.repeated} repeat somebody",
    )
    suppressed = suppress_file(workspace, path / OPTED_OUT, by=by).added
    ready("opt-outs", f"{suppressed} brought along from the old tool")
    plan = plan_campaign(workspace, CAMPAIGN)
    ready(
        "segment",
        f"{SEGMENT}: {plan.matching} match, {sum(plan.left_out.values())} may not be written to, "
        f"{plan.mailable} get the mail",
    )
    start_campaign(workspace, CAMPAIGN, first=None, again=False, by=by)
    run_id, lanes = workspace.database.read(_planned)
    ready("campaign", f"{CAMPAIGN}: a row for every message, before the first one leaves")
    moved = _move(workspace, by=by)
    ready("sequence", f"{SEQUENCE}: {moved} leads asked for a demo; two mails, if they stay silent")
    sequence_run_id = workspace.database.read(lambda session: _id_of(session, SEQUENCE))
    ready("pace", f"as in real life, {'sixty' if TIMES == 60 else TIMES} times faster")
    return Stage(
        workspace=workspace,
        arrived=arrived,
        suppressed=suppressed,
        plan=plan,
        run_id=run_id,
        sequence_run_id=sequence_run_id,
        moved=moved,
        lanes=lanes,
    )


def _move(workspace: Workspace, *, by: str) -> int:
    """Moves everybody who asked for a demo there, as `potok leads stage EMAIL demo` does."""
    emails = (workspace.path / REQUESTS).read_text(encoding="utf-8").split()
    now = workspace.now()

    def work(session: Session) -> int:
        ids = session.scalars(select(col(Lead.id)).where(col(Lead.email).in_(emails))).all()
        return sum(move_stage(session, number or 0, *PLACE, at=now, by=by) for number in ids)

    return workspace.database.write(work)


def _id_of(session: Session, name: str) -> int:
    run_id = require_run(session, name).id
    assert run_id is not None  # noqa: S101 - it came from the database
    return run_id


def _planned(session: Session) -> tuple[int, dict[int, tuple[str, int]]]:
    run: Run = require_run(session, CAMPAIGN)
    rows = session.execute(
        select(col(Lane.id), col(Lane.provider), func.count())
        .join(Message, col(Message.lane_id) == col(Lane.id))
        .where(col(Message.run_id) == run.id, col(Message.state) == State.PLANNED)
        .group_by(col(Lane.id), col(Lane.provider))
        .order_by(func.count().desc())
    ).all()
    assert run.id is not None  # noqa: S101 - it came from the database
    return run.id, {lane_id: (provider, count) for lane_id, provider, count in rows if lane_id}
