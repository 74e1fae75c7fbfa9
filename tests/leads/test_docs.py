"""The examples of `docs/leads.md` about deals, tasks and events work as typed."""

import re
import shlex
from pathlib import Path

from click.testing import CliRunner
from openpyxl import Workbook
from sqlalchemy.engine import URL

from console.cli import main
from tests.leads.test_commands import SETTINGS

PAGE = Path(__file__).parents[2] / "docs" / "leads.md"
SECTIONS = ("Deals", "Tasks", "Events of your own")


def section(name: str) -> str:
    found = re.search(rf"^## {name}\n(.*?)^## ", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_the_examples_work_as_typed(tmp_path: Path, sqlite_url: URL) -> None:
    (tmp_path / "potok.toml").write_text(SETTINGS.format(database=f"{sqlite_url}"))
    (tmp_path / "potok.keys").write_text(f'address = "{"a" * 64}"\nlinks = ["{"b" * 64}"]\n')
    (tmp_path / "potok.keys").chmod(0o600)
    (tmp_path / "two.csv").write_text("email\nkasia@example.pl\njan@example.com\n")
    (tmp_path / "deals.csv").write_text("email,name,state\nkasia@example.pl,Other,won\n")
    (tmp_path / "signups.csv").write_text(
        "email,event,at\njan@example.com,site.joined,2026-01-31\n"
    )
    [line] = re.findall(r"^    (\{.*\})$", section("Events of your own"), re.MULTILINE)
    (tmp_path / "product.jsonl").write_text(line + "\n")
    book = Workbook()
    for row in (["email", "Deal", "Netto"], ["jan@example.com", "Plan", "5 EUR"]):
        book.worksheets[0].append(row)
    book.save(tmp_path / "crm.xlsx")
    lines = [
        line for name in SECTIONS for line in re.findall(r"^    (potok .*)$", section(name), re.M)
    ]
    assert len(lines) == 16
    for line in ("potok leads import two.csv", *lines):
        words = [
            str(tmp_path / word) if (tmp_path / word).is_file() else word
            for word in shlex.split(line)[1:]
        ]
        done = CliRunner().invoke(main, ["--workspace", str(tmp_path), *words])
        assert done.exit_code == 0, f"{line}\n{done.output}"
