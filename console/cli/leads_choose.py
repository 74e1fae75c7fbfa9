"""`potok leads choose`: what a lead told us to choose for it, as its preference page would."""

import click

from console.cli.frame import Frame, command
from console.cli.leads import leads, the_lead


@command(leads, "choose")
@click.argument("email")
@click.option("--off", "off", multiple=True, metavar="TOPIC", help="No mail about it any more.")
@click.option("--on", "on", multiple=True, metavar="TOPIC", help="Mail about it again.")
@click.option(
    "--frequency", type=click.Choice(["any", "weekly"]), help="No limit, or one mail a week."
)
@click.option("--pause/--end-pause", default=None, help="No mails for 30 days, or again now.")
@click.option("--language", metavar="CODE", default="", help="What it wants to read: pl, en.")
@click.option("--why", required=True, help="How you know: it stays beside what was chosen.")
def choose(
    frame: Frame,
    email: str,
    off: tuple[str, ...],
    on: tuple[str, ...],
    frequency: str | None,
    pause: bool | None,
    language: str,
    why: str,
) -> None:
    """Write down what a lead told you to choose for it.

    The same as on its preference page (links.preferences in a template): it holds for every
    campaign and sequence, and no import changes it. potok leads show says what was chosen.

    \b
    Example:
      potok leads choose anna@example.com --off news --why "asked by phone"
      potok leads choose anna@example.com --frequency weekly --language pl --why "her mail of today"
      potok leads choose anna@example.com --pause --why "on leave until May"
    """
    from campaigns import carry_out
    from leads import Choice, Evidence

    if not why.strip():
        raise click.UsageError("Say how you know: --why 'asked by phone'")
    topics = dict.fromkeys(off, False) | dict.fromkeys(on, True)
    if both := set(off) & set(on):
        raise click.UsageError(f"{sorted(both)[0]} cannot be switched off and on at once")
    if not (topics or frequency or pause is not None or language):
        raise click.UsageError("Say what was chosen: --off TOPIC, --frequency weekly, --pause ...")
    choice = Choice(
        topics={topic.strip(): wanted for topic, wanted in topics.items()},
        frequency="weekly" if frequency == "weekly" else "any" if frequency else "",
        pause="" if pause is None else "begin" if pause else "end",
        language=language,
    )
    with frame.workspace() as workspace:
        now = workspace.now()
        with workspace.database.writing() as session:
            lead = the_lead(session, workspace, email)
            told = carry_out(
                session,
                lead.id or 0,
                choice,
                Evidence(source=why.strip()),
                now=now,
                by=frame.by,
            )
    frame.emit(
        {"email": lead.email, "changed": bool(told), "chose": told},
        lambda screen: screen.print(
            f"{lead.email}: written down" if told else f"{lead.email}: it was so already"
        ),
    )
