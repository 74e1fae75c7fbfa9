"""`potok templates shot`: whole mails as pictures, without scripts, network or leftovers."""

import json
import os
import shutil
import socketserver
import stat
import struct
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import console.chromium as chromium
from console.chromium import Browser, browsing, find_chromium
from console.errors import Refused
from console.shots import Camera, camera, file_name, widths_named
from tests.templates.looking import ANNA, BOB, CYRYL, make, no_chromium, potok

in_chromium = pytest.mark.skipif(bool(no_chromium()), reason=no_chromium() or "there is one")


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def first_pixel(png: bytes) -> tuple[int, int, int]:
    """The colour of the upper left corner; nothing is before it, so no filter changes it."""
    data, place = b"", 8
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            data += png[place + 8 : place + 8 + length]
        place += 12 + length
    red, green, blue = zlib.decompress(data)[1:4]
    return red, green, blue


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make(tmp_path / "acme")


@pytest.fixture(scope="module")
def taking() -> Iterator[Camera]:
    with camera() as made:
        yield made


@in_chromium
def test_the_whole_mail_at_each_width(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "pictures"
    words = ("templates", "shot", "welcome", "--lead", ANNA, "--out", str(out), "--json")
    done = potok(folder, *words)
    assert done.exit_code == 0, done.stderr
    shots = json.loads(done.stdout)["shots"]
    assert [Path(each["file"]).name for each in shots] == [
        "welcome_anna@example.com_phone_light.png",
        "welcome_anna@example.com_desktop_light.png",
    ]
    for shot, width in zip(shots, (375, 640), strict=True):
        assert size(Path(shot["file"]).read_bytes()) == tuple(shot["pixels"])
        assert shot["pixels"][0] == width
        assert 700 < shot["pixels"][1] < 2500
        assert not shot["cut"]
    assert ("own sandbox" in done.stderr) == (os.geteuid() == 0)


@in_chromium
def test_leads_of_a_segment_on_dark_screens(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "pictures"
    words = ("--segment", "country = PL", "--leads", "5", "--width", "phone", "--dark")
    done = potok(folder, "templates", "shot", "welcome", *words, "--out", str(out))
    assert done.exit_code == 0, done.stderr
    assert sorted(each.name for each in out.iterdir()) == [
        f"welcome_{ANNA}_phone_dark.png",
        f"welcome_{CYRYL}_phone_dark.png",
    ]
    light = potok(
        folder,
        "templates",
        "shot",
        "welcome",
        "--lead",
        ANNA,
        "--width",
        "phone",
        "--out",
        str(out),
    )
    assert light.exit_code == 0
    dark = first_pixel((out / f"welcome_{ANNA}_phone_dark.png").read_bytes())
    assert (
        max(dark)
        < 60
        < 180
        < min(first_pixel((out / f"welcome_{ANNA}_phone_light.png").read_bytes()))
    )


@in_chromium
def test_no_script_runs_and_nothing_is_fetched(taking: Camera) -> None:
    asked: list[bytes] = []
    paint = "document.body.style.background='red'"

    class Listener(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.request.recv(100))

    with socketserver.TCPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        at = f"http://127.0.0.1:{server.server_address[1]}"
        shot = taking.take(
            f"<body style='margin:0;background:#0000fe' onload=\"{paint}\">"
            "<div style='height: 40px'></div>"
            f"<script>{paint}; new Image().src='{at}/s'</script>"
            f"<link rel=stylesheet href='{at}/a.css'><img src='{at}/x.png'>"
            f"<iframe src='{at}/frame' hidden></iframe>"
            f"<style>@import '{at}/b.css'; p {{ background: url({at}/c.png) }}</style><p>x</p>"
            f"<img src=x onerror=\"{paint}\"><object data='{at}/o'></object>"
            "<div style='height:900px'></div>",
            width=375,
        )
        server.shutdown()
        thread.join()
    assert asked == []
    assert {f"{at}/a.css", f"{at}/x.png", f"{at}/c.png"} <= set(shot.refused)
    assert f"{at}/s" not in shot.refused
    assert first_pixel(shot.png) == (0, 0, 254)
    assert shot.height >= 900


@in_chromium
def test_no_file_of_this_machine_is_shown(taking: Camera, tmp_path: Path) -> None:
    secret = tmp_path / "secret.html"
    secret.write_text("<body style='background:#f00'>secret")
    frame = f"<style>iframe {{ border: 0 }}</style><iframe src='{secret.as_uri()}'></iframe>"
    shot = taking.take(f"<body style='margin:0'>{frame}", width=375)
    assert first_pixel(shot.png) != (255, 0, 0)


@in_chromium
def test_a_mail_without_dark_rules_stays_as_it_is(taking: Camera) -> None:
    html = "<body style='margin:0;background:#fedcba'>x"
    assert first_pixel(taking.take(html, width=375, dark=True).png) == (254, 220, 186)


@in_chromium
def test_sharper_pictures_have_more_pixels_and_endless_ones_are_cut(taking: Camera) -> None:
    high = "<body style='margin:0'><div style='height:{}px'></div>"
    assert size(taking.take(high.format(500), width=375, scale=2).png) == (750, 1000)
    shot = taking.take(high.format(200_000), width=375)
    assert shot.cut
    assert size(shot.png) == (375, 16_000)
    assert not taking.take(high.format(300), width=375).cut


@in_chromium
def test_nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="p-") as place:
        monkeypatch.setattr(tempfile, "tempdir", place)
        with camera() as made:
            made.take("<p>x", width=375)
            (home,) = Path(place).iterdir()
            assert running(home)
        assert list(Path(place).iterdir()) == []
        assert not running(home)


def running(home: Path) -> list[str]:
    """Processes that have this folder in their command line."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(home).encode() in each.read_bytes():
                found.append(each.parent.name)
        except OSError:
            continue
    return found


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exec sleep 60", "gave no answer in time"),
        ("echo '[1:1:ERROR:x.cc(1)] No usable sandbox' >&2; exit 1", "ended by itself"),
        ("printf 'nonsense' >&4; exec sleep 60", "gave no answer in time"),
    ],
)
def test_a_browser_that_does_not_work_is_ended_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    program(tmp_path / "chromium", script)
    monkeypatch.setattr(shutil, "which", lambda name: str(tmp_path / name))
    begin = time.monotonic()
    with pytest.raises(Refused, match=said), browsing(seconds=1):
        pytest.fail("it cannot have started")
    assert time.monotonic() - begin < 20
    assert not running(tmp_path / "chromium")


def test_its_last_words_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "chromium", "echo '[1:1:ERROR:x.cc(1)] No usable sandbox' >&2; exit 1")
    monkeypatch.setattr(shutil, "which", lambda name: str(tmp_path / name))
    with pytest.raises(Refused, match="No usable sandbox"), browsing(seconds=5):
        pytest.fail("it cannot have started")


def test_the_time_limit_holds_in_the_middle_of_an_answer() -> None:
    theirs, ours = os.pipe(), os.pipe()
    os.write(theirs[1], b'{"method": "Page.frameResized", "params": {}}\0{"id": 1, "resu')
    browser = Browser(ours[1], theirs[0], until=time.monotonic() + 0.2)
    heard: list[str] = []
    browser.heard = lambda event: heard.append(event["method"])
    with pytest.raises(Refused, match="in time"):
        browser.ask("Page.enable")
    assert heard == ["Page.frameResized"]
    for end in (*theirs, *ours):
        os.close(end)


def test_without_a_browser_one_line_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    done = potok(folder, "templates", "shot", "welcome")
    assert done.exit_code == 1
    assert "apt install chromium" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_it_is_found_under_each_of_its_names(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda asked: "/usr/bin/x" if asked == name else None)
    assert find_chromium() == "/usr/bin/x"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("welcome", "--lead", BOB, "--segment", "everyone"), 2, "Give --lead"),
        (("welcme",), 1, 'did you mean "welcome"'),
        (("welcome", "--lead", "x@example.com"), 1, "no lead"),
        (("welcome", "--segment", "country = DE"), 1, "No lead fits"),
        (("followup",), 1, "text only"),
    ],
)
def test_mistakes_are_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, said: str
) -> None:
    monkeypatch.setattr(chromium, "find_chromium", lambda: "/usr/bin/chromium")
    done = potok(folder, "templates", "shot", *words)
    assert done.exit_code == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@in_chromium
def test_one_who_cannot_be_written_to_does_not_spoil_the_others(
    folder: Path, tmp_path: Path
) -> None:
    message = folder / "templates" / "welcome" / "message.toml"
    text = message.read_text().replace('first_name = "there"\n', "")
    message.write_text(text)
    (folder / "b.csv").write_text("email,country\nnobody@example.com,PL\n")
    assert potok(folder, "leads", "import", str(folder / "b.csv")).exit_code == 0
    words = ("--segment", "country = PL", "--leads", "9", "--width", "phone", "--json")
    done = potok(folder, "templates", "shot", "welcome", *words, "--out", str(tmp_path / "p"))
    assert done.exit_code == 1
    said = json.loads(done.stdout)
    assert [each["lead"] for each in said["shots"]] == [ANNA, CYRYL]
    assert [each["lead"] for each in said["failed"]] == ["nobody@example.com"]


@given(st.text(max_size=300), st.sampled_from(["phone", "desktop"]), st.booleans())
def test_file_names_stay_in_their_folder(email: str, width: str, dark: bool) -> None:
    name = file_name("welcome", email, width=width, dark=dark)
    assert Path(name).name == name
    assert not set(name) & set('/\\\0:*?"<>|\n')
    assert len(name) < 140
    assert name.endswith(f"_{width}_{'dark' if dark else 'light'}.png")


def test_widths_have_names() -> None:
    assert dict(widths_named("both")) == {"phone": 375, "desktop": 640}
    assert dict(widths_named("phone")) == {"phone": 375}
