"""`potok identity`: who writes, and whether their accounts work."""

from typing import TYPE_CHECKING, Any

import click

from console.cli.frame import REFUSED, Frame, command, group

if TYPE_CHECKING:
    from rich.console import Console

    from console.settings import Settings
    from deliverability import Identity, Preset, Step

identity = group("identity", help="Who writes: SMTP accounts, tried and tested.")

_MARKS = {"ok": ("ok", "green"), "warning": ("look", "yellow"), "error": ("no", "red")}


@command(identity, "list")
def list_(frame: Frame) -> None:
    """Every identity of potok.toml: address, server, mailbox, what it used of today's limit.

    \b
    Example:
      potok identity list
    """
    from console.holding import stopped_identities
    from deliverability import used_today

    with frame.workspace() as workspace:
        stopped = stopped_identities(workspace)
        settings = workspace.settings
        today = workspace.now().astimezone(settings.time_zone).date()
        used = workspace.database.read(
            lambda session: {name: used_today(session, name, today) for name in settings.identities}
        )
        rows = [
            _row(each, settings, used[each.name]) | {"stopped": stopped.get(each.name, "")}
            for each in settings.identities.values()
        ]

    def human(screen: "Console") -> None:
        if not rows:
            screen.print("No identity yet: add [identity.NAME] to potok.toml.")
        for row in rows:
            cap = row["per_day"] if row["per_day"] is not None else "no limit"
            screen.print(f"{row['name']}: {row['from']}")
            screen.print(f"  sends by  {row['server']}")
            screen.print(f"  reads     {row['mailbox'] or 'nothing (no mailbox is set)'}")
            screen.print(f"  today     {row['used_today']} of {cap}")
            if row["stopped"]:
                screen.print(f"  stopped   {row['stopped']}: potok identity resume {row['name']}")
            if row["missing"]:
                screen.print(f"  missing   {row['missing']}")
        if rows:
            screen.print(f"Try one: potok identity test {rows[0]['name']}")

    frame.emit({"identities": rows}, human)


def _row(each: "Identity", settings: "Settings", used: int) -> dict[str, Any]:
    smtp, box = each.smtp, each.mailbox
    if smtp.outbox is not None:
        server = f"files in {smtp.outbox}"
    else:
        server = f"{smtp.host}:{smtp.port} ({smtp.tls})" + (f" as {smtp.user}" if smtp.user else "")
    mailbox = ""
    if box is not None and box.imap is not None:
        mailbox = f"{box.imap.folder} at {box.imap.host}:{box.imap.port} as {box.imap.user}"
    elif box is not None:
        mailbox = f"Maildir {box.maildir}"
    missing = [settings.secrets_missing.get(f"{each.name}.{what}", "") for what in ("smtp", "imap")]
    return {
        "name": each.name,
        "from": f"{each.from_name} <{each.from_address}>".strip(),
        "server": server,
        "mailbox": mailbox,
        "per_day": each.limits.per_day,
        "used_today": used,
        "signed_for": each.dkim.domain if each.dkim else "",
        "missing": "; ".join(filter(None, missing)),
    }


@command(identity, "resume")
@click.argument("name")
@click.option("--i-know", is_flag=True, help="You have seen why it was stopped.")
def resume(frame: Frame, name: str, i_know: bool) -> None:
    """Go on after bounces, complaints or a refused login stopped an identity.

    Without --i-know it says what stopped it and changes nothing. With it five messages leave first,
    and the rest when nothing bad came of them.

    \b
    Example:
      potok identity resume anna
      potok identity resume anna --i-know
    """
    from console.holding import release_identity

    with frame.workspace() as workspace:
        released = release_identity(workspace, name, knowing=frame.by if i_know else "")
    frame.emit(
        {"identity": name, "breakers": [each.document() for each in released]},
        lambda screen: screen.print(
            f"{name} goes on: five messages leave first while potok run runs, then the rest. "
            "Campaigns that were stopped go on with: potok campaigns resume NAME --i-know"
            if released
            else f"Nothing stops {name}."
        ),
    )


@command(identity, "test")
@click.argument("name")
@click.option("--to", metavar="ADDRESS", help="Who gets the test mail; else the identity itself.")
@click.option("--no-send", is_flag=True, help="Log in only; no mail leaves.")
def test(frame: Frame, name: str, to: str | None, no_send: bool) -> None:
    """Log in to the mail server and the mailbox, send a mail to oneself, say what happened.

    \b
    Example:
      potok identity test anna
      potok identity test anna --to me@example.org
      potok identity test anna --no-send --json
    """
    import asyncio
    import socket

    from deliverability import try_identity

    screen = None if frame.json else frame.screen()
    with frame.workspace() as workspace:
        chosen = workspace.settings.sender(name)
        if chosen.mailbox is not None and chosen.mailbox.imap is not None:
            chosen = workspace.settings.reader(name)
        now = workspace.now()
        # Not of the form of a campaign's Message-ID: an answer to a test belongs to no message.
        message_id = f"test.{workspace.random.getrandbits(64):016x}@{chosen.domain}"

    async def tried() -> list["Step"]:
        steps = []
        async for step in try_identity(
            chosen,
            to=to or chosen.from_address,
            send=not no_send,
            now=now,
            message_id=message_id,
            ehlo_name=socket.getfqdn(),
        ):
            if screen is not None:
                _show(screen, step)
            steps.append(step)
        return steps

    steps = asyncio.run(tried())
    failed = [step for step in steps if step.level == "error"]
    if screen is None:
        frame.emit(
            {
                "identity": name,
                "ok": not failed,
                "steps": [
                    {"id": s.id, "level": s.level, "what": s.what, "do": s.do} for s in steps
                ],
            },
            lambda _: None,
        )
    elif failed:
        screen.print(f"{name} cannot send yet." if failed[0].id != "mailbox" else "Almost there.")
    else:
        screen.print(f"{name} is ready.")
    if failed:
        frame.exit(REFUSED)


def _show(screen: "Console", step: "Step") -> None:
    mark, colour = _MARKS[step.level]
    screen.print(f"{mark:>5}", style=colour, end="  ")
    screen.print(step.what)
    if step.do:
        screen.print(f"       -> {step.do}")


@command(identity, "presets")
@click.argument("name", required=False)
def presets(frame: Frame, name: str | None) -> None:
    """Mail companies and how to reach them; with NAME, the lines for potok.toml.

    \b
    Example:
      potok identity presets
      potok identity presets google
    """
    from deliverability import presets as shipped

    known = shipped()
    if name is None:
        frame.emit(
            {"presets": [_document(each) for each in known.values()]},
            lambda screen: _table(screen, list(known.values())),
        )
        return
    if name not in known:
        import difflib

        near = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else f" There are: {', '.join(known)}."
        raise click.UsageError(f"There is no preset {name!r}.{hint}")
    frame.emit(_document(known[name]), lambda screen: _lines(screen, known[name]))


def _document(each: "Preset") -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(each)


def _table(screen: "Console", rows: list["Preset"]) -> None:
    for each in rows:
        screen.print(f"{each.name:14} {each.host}:{each.port} {each.tls:9} {each.title}")
    screen.print("One of them in full: potok identity presets google")


def _lines(screen: "Console", each: "Preset") -> None:
    screen.print(f"# {each.title}. {each.note}")
    screen.print("[identity.NAME.smtp]")
    screen.print(f'host = "{each.host}"\nport = {each.port}\ntls = "{each.tls}"')
    if each.user:
        screen.print(f'user = "..."    # {each.user}')
        screen.print('password_env = "NAME_SMTP_PASSWORD"')
    if each.imap:
        screen.print(f'[identity.NAME.mailbox.imap]\nhost = "{each.imap}"')
        screen.print('user = "..."\npassword_env = "NAME_SMTP_PASSWORD"')
    if each.per_day:
        screen.print(f"[identity.NAME.limits]\nper_day = {each.per_day}    # the company's maximum")
