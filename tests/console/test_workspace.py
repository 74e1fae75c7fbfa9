"""init, plan, apply: files against applied versions, through the command."""

import shutil
import tomllib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st

from campaigns import Campaign
from console import questions
from console.errors import Refused
from console.keys import read_keys
from console.new_workspace import STAGES, Answers, Server, make_workspace
from console.settings import read_settings
from console.wiring import open_workspace
from console.workspace import unapplied
from leads import current_versions
from segments import SegmentVersion
from templates import TemplateVersion
from tests.console.conftest import edit

Run = Callable[..., Result]
Document = Callable[..., Any]


def test_a_new_workspace_is_complete_applied_and_private(home: Path) -> None:
    workspace = open_workspace(home)
    with workspace.database.reading() as session:
        assert {v.name for v in current_versions(session, SegmentVersion)} >= {
            "everyone",
            "new-leads",
        }
        assert {v.name for v in current_versions(session, TemplateVersion)} >= {
            "welcome",
            "powitanie",
        }
        assert [v.name for v in current_versions(session, Campaign)] == ["welcome"]
    assert unapplied(workspace) == []
    workspace.close()
    assert (home / "potok.keys").stat().st_mode & 0o777 == 0o600
    assert "potok.keys" in (home / ".gitignore").read_text()
    assert not list(home.parent.glob(".potok-init-*"))


def test_keys_differ_between_workspaces_and_never_show(home: Path, now: datetime) -> None:
    make_workspace(home.parent / "other", Answers(), now=now)
    here, there = read_keys(home), read_keys(home.parent / "other")
    assert here.address != there.address
    assert here.address.hex() not in repr(here)


def test_init_refuses_a_workspace_and_touches_nothing(home: Path, potok: Run) -> None:
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    done = potok("init", home, "--yes")
    assert done.exit_code == 1
    assert "is a workspace already; nothing was changed" in done.stderr
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_init_beside_other_files_moves_in_and_leaves_them(tmp_path: Path, potok: Run) -> None:
    (tmp_path / "leads.csv").write_text("email\n")
    assert potok("init", tmp_path, "--yes").exit_code == 0
    assert (tmp_path / "leads.csv").exists()
    assert (tmp_path / "potok.toml").exists()


def test_init_over_a_file_of_the_same_name_leaves_nothing_half_made(
    tmp_path: Path, potok: Run
) -> None:
    (tmp_path / "templates").mkdir()
    done = potok("init", tmp_path, "--yes")
    assert done.exit_code == 1
    assert "already has templates" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["templates"]


def test_init_that_fails_half_way_leaves_nothing(
    tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("console.new_workspace.apply", full)
    with pytest.raises(OSError, match="No space"):
        make_workspace(tmp_path / "acme", Answers(), now=now)
    assert list(tmp_path.iterdir()) == []


def test_init_without_a_terminal_says_how(tmp_path: Path, potok: Run) -> None:
    done = potok("init", tmp_path / "acme")
    assert done.exit_code == 2
    assert "--yes" in done.stderr


def test_init_takes_a_mail_company_by_name(tmp_path: Path, document: Document) -> None:
    place = tmp_path / "acme"
    made = document("init", place, "--yes", "--from", "Łucja <lucja@acme.pl>", "--mail", "google")
    assert made["identity"] == "lucja"
    smtp = read_settings(place).identities["lucja"].smtp
    assert (smtp.host, smtp.user) == ("smtp.gmail.com", "lucja@acme.pl")


names = st.text(st.characters(exclude_categories=("C",)), max_size=40)


@given(names, names, st.lists(st.sampled_from(STAGES), min_size=1, unique=True))
def test_whatever_people_answer_the_settings_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, shown: str, postal: str, stages: list[str]
) -> None:
    from console.starting_files import campaign_file, segment_files, settings_file

    folder = tmp_path_factory.mktemp("answers")
    answers = Answers(
        sender=questions.from_line(shown, "anna@acme.pl"),
        postal_address=questions.one_line(postal),
        stages=tuple(stages),
        server=Server(host="smtp.acme.pl", port=587, user="anna@acme.pl"),
    )
    (folder / "potok.toml").write_text(settings_file(answers), "utf-8")
    settings = read_settings(folder)
    (identity,) = settings.identities.values()
    assert identity.from_address == "anna@acme.pl"
    assert identity.from_name == shown.strip()
    assert identity.postal_address == postal.strip()
    for text in (*segment_files(answers.stages).values(), campaign_file(answers.identity)):
        tomllib.loads(text)


def test_plan_shows_each_change_and_apply_freezes_it(
    home: Path, potok: Run, document: Document
) -> None:
    edit(home / "segments" / "everyone.toml", "everyone", 'country = "PL"')
    (home / "segments" / "warm.toml").write_text('rule = "score > 10"\n')
    (home / "segments" / "asked-for-prices.toml").unlink()
    edit(home / "templates" / "followup" / "message.toml", "quick question", "short question")
    planned = document("plan")
    assert {(c["kind"], c["name"], c["change"]) for c in planned["changes"]} == {
        ("segment", "everyone", "changed"),
        ("segment", "warm", "added"),
        ("segment", "asked-for-prices", "removed"),
        ("template", "followup", "changed"),
    }
    by_name = {change["name"]: change for change in planned["changes"]}
    assert by_name["everyone"]["matching"] == {"before": 0, "after": 0}
    assert '+country = "PL"' in by_name["everyone"]["diff"]
    assert any("short question" in line for line in by_name["followup"]["diff"])
    assert "applied" in potok("plan").stdout
    applied = document("apply")
    assert {c["name"] for c in applied["changes"]} == {c["name"] for c in planned["changes"]}
    assert document("plan")["changes"] == []
    assert document("apply")["changes"] == []


def test_a_segment_that_uses_a_changed_one_changes_with_it(home: Path, document: Document) -> None:
    (home / "segments" / "poles.toml").write_text("rule = 'in segment \"polish-speakers\"'\n")
    document("apply")
    edit(home / "segments" / "polish-speakers.toml", ' or country = "PL"', "")
    changes = {c["name"]: c for c in document("plan")["changes"]}
    assert set(changes) == {"poles", "polish-speakers"}
    assert changes["poles"]["diff"] == []


def test_only_templates_that_were_touched_are_compiled_again(
    home: Path, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    import templates

    compiled: list[str] = []
    real = templates.compile_template

    def count(name: str, files: Any, **more: Any) -> Any:
        compiled.append(name)
        return real(name, files, **more)

    monkeypatch.setattr("templates.compile_template", count)
    assert document("plan")["changes"] == []
    assert compiled == []
    edit(home / "templates" / "welcome" / "body.html", "</body>", "<p>More</p></body>")
    assert [c["name"] for c in document("plan")["changes"]] == ["welcome"]
    assert compiled == ["welcome"]


def test_a_shared_part_changes_the_templates_that_include_it(
    home: Path, document: Document
) -> None:
    (home / "templates" / "_foot.html").write_text("<p>Acme</p>")
    edit(
        home / "templates" / "welcome" / "body.html", "</body>", '{% include "_foot.html" %}</body>'
    )
    document("apply")
    (home / "templates" / "_foot.html").write_text("<p>Acme Ltd</p>")
    (change,) = document("plan")["changes"]
    assert (change["name"], change["change"]) == ("welcome", "changed")


def test_every_mistake_is_named_and_nothing_is_applied(
    home: Path, potok: Run, document: Document
) -> None:
    (home / "segments" / "good.toml").write_text('rule = "everyone"\n')
    (home / "segments" / "bad.toml").write_text('description = "x"\nrule = "lenguage = 1"\n')
    (home / "segments" / "typo.toml").write_text('rul = "everyone"\n')
    (home / "segments" / "Bad Name.toml").write_text('rule = "everyone"\n')
    edit(home / "campaigns" / "welcome.toml", "new-leads", "new-lead")
    (home / "templates" / "broken").mkdir()
    (home / "templates" / "broken" / "message.toml").write_text('subject = "{{ lead.nam }}"\n')
    done = potok("apply")
    assert done.exit_code == 1
    assert "segments/bad.toml:2: " in done.stderr
    assert "segments/typo.toml:1: " in done.stderr
    assert "segments/Bad Name.toml: the name must be" in done.stderr
    assert "templates/broken/" in done.stderr
    assert 'campaigns/welcome.toml:4: there is no segment "new-lead"' in done.stderr
    shutil.rmtree(home / "templates" / "broken")
    for name in ("bad", "typo", "Bad Name"):
        (home / "segments" / f"{name}.toml").unlink()
    edit(home / "campaigns" / "welcome.toml", "new-lead", "new-leads")
    assert [c["name"] for c in document("plan")["changes"]] == ["good"]


def test_unapplied_edits_are_named(home: Path) -> None:
    edit(home / "campaigns" / "welcome.toml", "5 days", "4 days")
    workspace = open_workspace(home)
    assert unapplied(workspace) == ["campaigns/welcome.toml (changed)"]
    workspace.close()


def test_an_identity_a_campaign_names_must_exist(home: Path, potok: Run) -> None:
    edit(home / "campaigns" / "welcome.toml", 'identity = "you"', 'identity = "your"')
    assert 'no identity "your"; did you mean "you"?' in potok("plan").stderr


def test_a_name_that_is_taken_is_refused_by_value(home: Path, now: datetime) -> None:
    with pytest.raises(Refused, match="is a file"):
        make_workspace(home / "potok.toml", Answers(), now=now)


def test_a_change_of_a_template_changes_those_that_are_like_it(
    home: Path, potok: Run, document: Document
) -> None:
    short = home / "templates" / "short"
    short.mkdir()
    (short / "message.toml").write_text('like = "welcome"\nsubject = "Three steps"\n')
    assert potok("apply").exit_code == 0
    assert document("plan")["changes"] == []
    body = home / "templates" / "welcome" / "body.html"
    body.write_text(body.read_text().replace("</body>", "<p>one more</p></body>"))
    changed = {each["name"] for each in document("plan")["changes"]}
    assert {"short", "welcome"} <= changed
    assert potok("segments", "count", "everyone", "--template", "short").exit_code == 0
    body.write_text("{% if %}")
    assert "templates/welcome/body.html:1" in potok("plan").stderr
