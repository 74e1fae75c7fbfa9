"""`potok deliverability meaning`: what a server's answer is taken for, and by which row."""

from typing import TYPE_CHECKING

import click

from console.cli.deliverability import deliverability
from console.cli.frame import Frame, command

if TYPE_CHECKING:
    from rich.console import Console

PHASES = ("connect", "mail", "rcpt", "data", "body")

#: What happens to the lane and the message, by what the answer is about.
FOLLOWS = {
    "none": "it was taken",
    "address": "the address is suppressed",
    "mailbox": "this message only",
    "rate": "the lane slows down and pauses",
    "greylist": "the message waits, the lane does not",
    "blocked": "the lane pauses for two hours",
    "authentication": "the lane pauses until somebody looks, two hours when the code begins with 4",
    "sender": "the lane pauses until somebody looks, two hours when the code begins with 4",
    "tls": "the lane pauses until somebody looks, two hours when the code begins with 4",
    "content": "this message only",
    "policy": "this message only",
    "network": "it is tried again",
    "other": "this message only; two of the last 20 slow the lane down",
}


@command(deliverability, "meaning")
@click.argument("answer", metavar='"CODE WORDS"')
@click.option("--provider", default="", help="As an answer of this provider: google, wp, your own.")
@click.option(
    "--phase",
    type=click.Choice(PHASES),
    default="rcpt",
    show_default=True,
    help="How far the dialogue had got.",
)
def meaning(frame: Frame, answer: str, provider: str, phase: str) -> None:
    """Say what a server's answer is about, and what follows; your own [[answer]] rows are asked
    first.

    \b
    Example:
      potok deliverability meaning "451 4.7.0 Too many messages, slow down"
      potok deliverability meaning "550 come back tomorrow" --provider wp
    """
    from console.pacing import provider_named
    from deliverability import Phase, answers_of, classify, deciding

    code, _, words = answer.strip().partition(" ")
    if not (code.isdecimal() and len(code) == 3 and code[0] in "245"):
        raise click.UsageError(
            f'{answer!r} does not begin with the code of an answer: write "451 4.7.0 ..."'
        )
    with frame.workspace() as workspace:
        settings = workspace.settings
        rows = answers_of(provider_named(provider, settings.provider_table), settings.answers)
    outcome = classify(Phase(phase), int(code), words, rows)
    row = None
    if outcome.cause != "none":
        row = deciding(Phase(phase), int(code), outcome.enhanced, outcome.reply, rows)
    minutes = outcome.suspend.total_seconds() / 60 if outcome.suspend else None
    follows = FOLLOWS[outcome.cause] if minutes is None else f"the lane pauses for {minutes:g} min"

    def human(screen: "Console") -> None:
        screen.print(f"{outcome.verdict}, about: {outcome.cause}")
        screen.print(f"What follows: {follows}")
        screen.print(f"Known by: {row.source if row else 'no row; by its code and step'}")

    frame.emit(
        {
            "verdict": outcome.verdict,
            "cause": outcome.cause,
            "enhanced": outcome.enhanced,
            "suspend_minutes": minutes,
            "follows": follows,
            "source": row.source if row else None,
        },
        human,
    )
