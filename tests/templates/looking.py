"""What tests of looking share: a workspace with leads, its preview, and the preview served."""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import httpx
from click.testing import CliRunner, Result

from console.chromium import find_chromium
from console.cli import main
from console.errors import Refused
from console.leafing import Crowd
from console.new_workspace import Answers, make_workspace
from console.previewing import Preview
from console.web.preview import Viewed, preview_app
from console.web.serving import listening, serve
from console.wiring import Workspace, open_workspace
from leads import Permission
from segments import parse
from tests.conftest import NOW

ANNA, BOB, CYRYL = "anna@example.com", "bob@example.com", "cyryl@example.com"
LEADS = f"""email,first_name,name,language,country,company
{ANNA},Zażółć,Zażółć Nowak,en,PL,Gęśla
{BOB},Bob,Bob Smith,en,GB,Acme
{CYRYL},Cyryl,Cyryl Maj,pl,PL,Jaźń
"""


@cache
def _made_once() -> Path:
    folder = tempfile.mkdtemp(prefix="potok-looking-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / "acme"
    make_workspace(path, Answers(time_zone="Europe/Warsaw"), now=NOW)
    (path / "a.csv").write_text(LEADS, "utf-8")
    assert potok(path, "leads", "import", str(path / "a.csv")).exit_code == 0
    return path


def make(path: Path) -> Path:
    """A workspace of the starting files with three leads."""
    return Path(shutil.copytree(_made_once(), path))


def potok(workspace: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["--workspace", str(workspace), *words])


def opened(folder: Path) -> Workspace:
    return open_workspace(folder)


def crowd(workspace: Workspace, rule: str = "") -> Crowd:
    return Crowd(
        name=rule,
        rule=parse(rule) if rule else None,
        permission=Permission(topic="", consent_required=False),
        now=NOW,
        zone=workspace.settings.time_zone,
    )


def preview(workspace: Workspace, name: str = "welcome", *, rule: str = "") -> Preview:
    sender = next(iter(workspace.settings.identities.values()))
    return Preview(workspace, name, sender, crowd(workspace, rule))


@asynccontextmanager
async def served(viewed: Viewed) -> AsyncIterator[httpx.AsyncClient]:
    """The page over real HTTP, ended with the block."""
    bound = listening("127.0.0.1:0")
    host = f"127.0.0.1:{bound.getsockname()[1]}"
    stop = asyncio.Event()
    app = preview_app(viewed, hosts=frozenset({host}), stop=stop)
    serving = asyncio.create_task(serve(app, bound, stop))
    try:
        async with httpx.AsyncClient(base_url=f"http://{host}", timeout=20) as client:
            yield client
    finally:
        stop.set()
        await asyncio.wait_for(serving, 10)


def no_chromium() -> str:
    """Why tests in a real browser cannot run; empty when they can."""
    try:
        find_chromium()
    except Refused as error:
        return str(error)
    return ""
