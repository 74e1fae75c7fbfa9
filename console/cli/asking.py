"""The questions of `potok init`."""

import difflib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from console.cli.frame import Frame
from console.errors import Refused
from console.new_workspace import STAGES, Answers, Server
from console.settings import FILE, variable
from console.zones import machine_zone, zone_named

if TYPE_CHECKING:
    from deliverability import Preset

T = TypeVar("T")


def ask(frame: Frame, given: Mapping[str, str | None], *, yes: bool, directory: Path) -> Answers:
    """What to write into the new workspace: from options, else asked, else (`yes`) the defaults.

    Raises Refused before the first question when the folder cannot become a workspace.
    """
    from console import questions

    if (directory / FILE).exists():
        raise Refused(f"{directory} is a workspace already; nothing was changed")
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to ask on: add --yes for the defaults.")
    defaults = Answers(time_zone=machine_zone(variable("TZ")))
    values = {
        "sender": _option(given["sender"], "--from", questions.sender),
        "postal_address": _option(given["postal_address"], "--postal-address", questions.one_line),
        "time_zone": _option(given["time_zone"], "--time-zone", _zone),
    }
    stages = _option(given["stages"], "--stages", questions.stages)
    if yes:
        sender = values["sender"] or defaults.sender
        return Answers(
            sender=sender,
            postal_address=values["postal_address"] or defaults.postal_address,
            time_zone=values["time_zone"] or defaults.time_zone,
            stages=stages or STAGES,
            server=_company(given["mail"], sender),
        )
    frame.say(f"A new workspace in {directory}. Enter takes what stands in brackets.\n")
    address = ""
    chosen = values["sender"]
    if chosen is None:
        shown = _question("Name people see as the sender", questions.one_line)
        address = _question("Mail address you write from", questions.mail_address)
        chosen = questions.from_line(shown, address)
    return Answers(
        sender=chosen,
        postal_address=values["postal_address"]
        or _question("Company and street address (stands under every mail)", questions.one_line),
        time_zone=values["time_zone"] or _question("Time zone", _zone, default=defaults.time_zone),
        stages=stages
        or _question("Stages of your pipeline", questions.stages, default=", ".join(STAGES)),
        server=_company(given["mail"], chosen) or _server(frame, address),
    )


def _server(frame: Frame, address: str) -> Server | None:
    from console import questions
    from deliverability import presets

    frame.say("\nHow does your mail leave?")
    frame.say("   1  nothing leaves yet: mails become files in outbox/, for trying out")
    frame.say("   2  through a mail server of my own (SMTP)")
    companies = list(presets().values())
    for number, preset in enumerate(companies, 3):
        frame.say(f"  {number:>2}  {preset.title}")
    choice = _question("Choose", _choice(len(companies) + 2), default="1")
    if choice == 1:
        return None
    if choice > 2:
        preset = companies[choice - 3]
        if preset.note:
            frame.say(f"  {preset.note}")
        if not preset.user:
            return of_preset(preset, "")
        whole = "address" in preset.user
        user = _question(
            f"Login name ({preset.user})",
            questions.one_line,
            default=address if whole and address else None,
        )
        return of_preset(preset, user)
    host = _question("Its name", questions.host)
    port = _question("Port (587: starttls, 465: implicit TLS)", _port, default="587")
    user = _question("Login name (- for none)", questions.one_line, default=address or "-")
    return Server(
        host=host,
        port=port,
        tls={465: "implicit", 25: "none"}.get(port, "starttls"),
        user="" if user == "-" else user,
    )


def of_preset(preset: "Preset", user: str) -> Server:
    """A mail company's server for this login."""
    return Server(
        host=preset.host,
        port=preset.port,
        tls=preset.tls,
        user=user,
        imap=preset.imap,
        per_day=preset.per_day,
        note=preset.note,
    )


def _company(name: str | None, sender: str) -> Server | None:
    """What `--mail NAME` says."""
    from email.utils import parseaddr

    from deliverability import presets

    if name is None:
        return None
    if name not in presets():
        near = difflib.get_close_matches(name, presets(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(presets())}"
        raise click.UsageError(f"--mail: there is no preset {name!r}; {hint}")
    preset = presets()[name]
    return of_preset(preset, parseaddr(sender)[1] if preset.user else "")


def _choice(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.strip().isdigit() or not 1 <= int(text) <= most:
            raise ValueError(f"type a number from 1 to {most}")
        return int(text)

    return read


def _zone(text: str) -> str:
    return zone_named(text).key


def _port(text: str) -> int:
    if not text.strip().isdigit() or not 1 <= int(text) <= 65535:
        raise ValueError("a port is a number from 1 to 65535")
    return int(text)


def _option(text: str | None, name: str, read: Callable[[str], T]) -> T | None:
    if text is None:
        return None
    try:
        return read(text)
    except ValueError as error:
        raise click.UsageError(f"{name}: {error}") from error


def _question(text: str, read: Callable[[str], T], *, default: str | None = None) -> T:
    """Asks until the answer can be read. Questions go to standard error."""

    def process(answer: str) -> T:
        try:
            return read(answer)
        except ValueError as error:
            raise click.UsageError(f"{error}") from error

    value: T = click.prompt(text, default=default, value_proc=process, err=True)
    return value
