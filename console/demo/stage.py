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
from console.importing import Wish, import_file
from console.new_workspace import Answers, Server, make_workspace
from console.suppressing import suppress_file
from console.wiring import Workspace, open_workspace
from console.workspace import apply
from deliverability import Lane
from leads import Counts

SHIPPED = Path(__file__).with_name("workspace")
LEADS = Path(__file__).with_name("leads.csv")
CAMPAIGN = "answers"
SEGMENT = "interested"
#: Brought along from whatever was used before.
OPTED_OUT = "opted-out.txt"
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
    return Stage(
        workspace=workspace,
        arrived=arrived,
        suppressed=suppressed,
        plan=plan,
        run_id=run_id,
        lanes=lanes,
    )


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
