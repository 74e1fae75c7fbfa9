"""What Tab offers: in rules, for names, in a real shell; quickly and without a word of error."""

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from click.shell_completion import BashComplete
from click.testing import Result
from sqlalchemy.engine import URL

from console.cli import main
from console.cli.completion import script_for
from console.completing import complete_rule
from console.database import Database
from console.glimpse import Glimpse, vocabulary
from leads import Event, Lead, Preference
from segments import parse
from segments.vocabulary import FIELDS, VERBS

Run = Callable[..., Result]


def _people(database: Database, now: datetime) -> None:
    def lead(number: int, **more: object) -> Lead:
        return Lead(
            id=number,
            email=f"lead{number}@example.com",
            address_key=f"{number:032x}",
            domain="example.com",
            stage_at=now,
            draw=number,
            token=f"{number:016x}",
            created_at=now,
            updated_at=now,
            **more,
        )

    database.write(
        lambda session: session.add_all(
            [
                lead(1, country="PL", company='O\'Hara "Sons"', tags=["vip"]),
                lead(2, country="PL", attributes={"industry": "food", "sizes": ["S", "M"]}),
                lead(3, country="DE", company="100% Acme", attributes={"Company size": 5}),
            ]
        )
    )
    database.write(
        lambda session: session.add_all(
            [
                Preference(lead_id=1, name="topic", value="pricing", said_at=now),
                Event(lead_id=1, kind="demo.requested", at=now),
            ]
        )
    )


@pytest.fixture
def peopled(home: Path, database_url: URL, now: datetime) -> Path:
    """The workspace on each database, with a few leads."""
    database = Database(database_url)
    _people(database, now)
    database.close()
    text = database_url.render_as_string(hide_password=False)
    file = home / "potok.toml"
    given = f"database = {json.dumps(text)}\n"
    lines = [li for li in file.read_text().splitlines(True) if not li.startswith("database")]
    file.write_text(given + "".join(lines))
    return home


def _offers(*args: str, incomplete: str) -> list[str]:
    complete = BashComplete(main, {}, "potok", "_POTOK_COMPLETE")
    return [item.value for item in complete.get_completions(list(args), incomplete)]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("country = ", ["country = PL", "country = DE"]),
        ("country = p", ["country = PL", "country = PL and ", "country = PL or "]),
        ("country in (DE, P", ["country in (DE, PL, ", "country in (DE, PL) "]),
        ("company = O", [r'company = "O' + "'" + r'Hara \"Sons\""']),
        ('company = "100', ['company = "100% Acme"']),
        ("tag = ", ["tag = vip"]),
        ("attr.ind", ["attr.industry = ", "attr.industry != "]),
        ("attr.", ["attr.industry ", 'attr."Company size" ']),
        ("attr.sizes = ", ["attr.sizes = M", "attr.sizes = S"]),
        ('attr."Company size" = ', ['attr."Company size" = 5']),
        ("prefers.", ["prefers.topic = "]),
        ("prefers.topic = pr", ["prefers.topic = pricing"]),
        ("event ", ['event "demo.requested"']),
        ("stage = pro", ["stage = proposal"]),
        ("not in segment ", ["not in segment everyone", "not in segment new-leads"]),
        ("country = PL and has prefers.t", ["country = PL and has prefers.topic"]),
        ("deal where state = ", ["deal where state = won"]),
        ("moved from demo to ", ["moved from demo to won"]),
        ("created ", ["created within "]),
        ("score ", ["score >= "]),
        ('sent "welcome" ', ['sent "welcome" within ']),
        ("country = PL ", ["country = PL and "]),
    ],
)
def test_a_rule_is_completed_with_words_and_real_values(
    peopled: Path, typed: str, expected: list[str]
) -> None:
    found = _offers("segments", "count", incomplete=typed)
    missing = [each for each in expected if not any(o.startswith(each.rstrip()) for o in found)]
    assert not missing, found
    head = typed[: len(typed) - len(typed.split(" ")[-1])]
    assert all(each.startswith(head) for each in found), "the argument is kept whole"


def test_the_first_word_is_a_segment_a_field_or_a_verb(peopled: Path) -> None:
    found = {each.strip() for each in _offers("segments", "preview", incomplete="")}
    assert {"everyone", "polish-speakers", *FIELDS, *VERBS, "attr.", "tag"} <= found
    second = _offers("segments", "diff", "everyone", incomplete="pol")
    assert second[0] == "polish-speakers"


class _Nothing:
    """A workspace about which nothing can be told."""

    def __getattr__(self, name: str) -> Callable[..., list[str]]:
        return lambda *_, **__: []


class _Something:
    """One of each."""

    def __getattr__(self, name: str) -> Callable[..., list[str]]:
        return lambda *_, **__: {"stages": ["demo"], "pipelines": ["sales"]}.get(name, ["PL"])


def test_following_the_offers_always_makes_a_rule() -> None:
    """Whatever is chosen at each step: where `and` is offered, a rule could end."""
    words, made, seen = vocabulary(), 0, 0
    waiting = [""]
    while waiting and seen < 2000:
        text, seen = waiting.pop(0), seen + 1
        for offer in complete_rule(text, words, _Something()):
            if offer.endswith(" and "):
                parse(offer.removesuffix(" and "), stages={"sales": ("demo",)})
                made += 1
            elif offer != text and not offer.endswith(" or "):
                waiting.append(offer)
    assert made > 1000


@pytest.mark.parametrize(
    "typed", ["'", '"', "((((", "and and", "attr.", 'attr."', "in (", "\\", "=", "ł ="]
)
def test_nonsense_offers_something_or_nothing_and_never_breaks(typed: str) -> None:
    assert isinstance(complete_rule(typed, vocabulary(), _Nothing()), list)


def test_fields_names_and_addresses_are_offered(peopled: Path) -> None:
    assert "attr.industry" in _offers("segments", "values", incomplete="attr.i")
    assert 'event."demo.requested"' in _offers("segments", "values", incomplete="event.")
    assert _offers("segments", "preview", "everyone", "--columns", incomplete="email,comp") == [
        "email,company"
    ]
    assert _offers("segments", "count", "everyone", "--template", incomplete="wel") == ["welcome"]
    assert _offers("campaigns", "plan", incomplete="") == ["welcome"]
    assert _offers("leads", "show", incomplete="lead2") == ["lead2@example.com"]
    assert _offers("leads", "show", incomplete="lead%") == []


@pytest.mark.parametrize("breakage", ["no workspace", "no database", "bad settings"])
def test_where_nothing_can_be_read_nothing_is_said(
    peopled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    breakage: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if breakage == "no workspace":
        monkeypatch.chdir(tmp_path)
    else:
        text = 'database = "sqlite:///none.db"' if breakage == "no database" else "[[["
        (peopled / "potok.toml").write_text(text)
    assert [o for o in _offers("segments", "count", incomplete="country = ") if "PL" in o] == []
    assert not (peopled / "none.db").exists()
    assert capfd.readouterr() == ("", "")


def test_completion_imports_nothing_heavy(peopled: Path) -> None:
    program = (
        "import os, sys\n"
        "from console.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n"
        "    heavy = {'sqlalchemy', 'sqlmodel', 'pydantic', 'rich', 'lark', 'segments'}\n"
        "    print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ
        | {
            "_POTOK_COMPLETE": "bash_complete",
            "COMP_WORDS": "potok\nsegments\ncount\n'country = P",
            "COMP_CWORD": "3",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert "plain,country = PL" in done.stdout.splitlines()
    if Glimpse(peopled).settings["database"].startswith("sqlite"):
        assert done.stderr.strip() == "[]"


@pytest.fixture
def bash(home: Path, sqlite_url: URL, now: datetime) -> Iterator[int]:
    """An interactive bash with the script in it. `answered` grows with every Tab that is answered,
    and Ctrl-X writes the last argument of the line to `shown`."""
    database = Database(sqlite_url)
    _people(database, now)
    database.close()
    Path(str(sqlite_url.database)).replace(home / "potok.db")
    call = f'{sys.executable} -c "from console.cli import main; main()"'
    (home / "potok").write_text(f'#!/bin/sh\n{call} "$@"\necho >> {home}/answered\n')
    (home / "potok").chmod(0o755)
    (home / "rc").write_text(
        f"PS1='$ '\nPATH={home}:$PATH\nbind 'set enable-bracketed-paste off'\n"
        'bind \'"\\C-x": "\\C-a show \\C-m"\'\n'
        f"show() {{ printf '<%s>' \"${{@: -1}}\" > {home}/shown; }}\n"
        f"{script_for('bash')}\n"
    )
    process, terminal = pty.fork()
    if process == 0:
        os.execvp("bash", ["bash", "--noprofile", "--rcfile", str(home / "rc"), "-i"])
    yield terminal
    os.kill(process, signal.SIGKILL)
    os.close(terminal)
    os.waitpid(process, 0)


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("potok segments count 'country = P\t'", "country = PL"),
        ('potok segments count "company = 100\t"', 'company = "100% Acme"'),
        ("potok segments count 'stage in (de\t)'", "stage in (demo)"),
        ("potok segments count prefers.to\t= 1'", "prefers.topic = 1"),
        ("potok segments count polish-s\t", "polish-speakers"),
    ],
)
def test_a_real_bash_keeps_the_argument_whole(
    home: Path, bash: int, line: str, expected: str
) -> None:
    begun, _, rest = line.partition("\t")
    os.write(bash, begun.encode() + b"\t")
    _until(bash, (home / "answered").exists)
    os.write(bash, rest.encode() + b"\x18")
    _until(bash, lambda: (home / "shown").exists() and bool((home / "shown").read_text()))
    assert (home / "shown").read_text() == f"<{expected}>"


def _until(terminal: int, done: Callable[[], bool]) -> None:
    """Reads what the shell prints, so that it never waits for us, until `done`."""
    end = time.monotonic() + 60
    while not done() and time.monotonic() < end:
        if select.select([terminal], [], [], 0.05)[0]:
            os.read(terminal, 65536)
    assert done()
