"""How the segment commands show counts and leads: in JSON, and for a marketer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from leads import FrequencyCap
    from segments import Audience, Example

#: Why somebody is left out, as people say it.
REASONS = {
    "suppressed": "on the suppression list",
    "opted_out": "opted out",
    "hard_bounce": "the address bounced",
    "complaint": "called a mail spam",
    "consent_withdrawn": "took the consent back or switched the topic off",
    "no_consent": "no consent on record",
    "merged": "merged into another record",
    "erased": "erased",
    "paused_by_lead": "paused their mail for a while",
    "capped": "chose few mails and had them lately",
}


def reason_said(reason: str) -> str:
    """The reason in plain words; one that is new here reads as it is called."""
    return REASONS.get(reason, reason.replace("_", " "))


def counts(found: "Audience") -> dict[str, Any]:
    """The form for scripts: matching = mailable + the sum of left_out."""
    return {
        "matching": found.matching,
        "mailable": found.mailable,
        "left_out": found.left_out,
    }


def leads_said(number: int) -> str:
    """`1 lead`, `2,000 leads`."""
    return f"{number:,} lead{'' if number == 1 else 's'}"


def show_counts(screen: "Console", found: "Audience", cap: "FrequencyCap | None" = None) -> None:
    """How many fit, who may be written to, who not and why; that this adds up.

    `cap` is the one `found` was counted with.
    """
    if not found.matching:
        screen.print("No lead fits.")
        return
    fit = "fits" if found.matching == 1 else "fit"
    if not found.left_out:
        screen.print(f"{leads_said(found.matching)} {fit}, all of them may be written to.")
        return
    rows = [(found.mailable, "may be written to")]
    rows += [(number, f"left out: {_why(why, cap)}") for why, number in found.left_out.items()]
    width = max(len(f"{number:,}") for number, _ in rows)
    screen.print(f"{leads_said(found.matching)} {fit}:")
    for number, words in rows:
        screen.print(f"  {number:>{width},}  {words}")
    # `audience` has counted both sides and raises when they differ.
    screen.print(f"  {'':>{width}}  These add up to {found.matching:,}.", style="dim")


def _why(reason: str, cap: "FrequencyCap | None") -> str:
    if reason == "capped" and cap is not None:
        mails = f"{cap.messages} mail{'' if cap.messages == 1 else 's'}"
        often = f"{mails} within {cap.days} days already ([delivery] frequency)"
        return f"got {often} or as many as they chose; they may follow"
    return reason_said(reason)


def show_examples(screen: "Console", leads: Sequence["Example"], indent: str = "  ") -> None:
    """Addresses, with the reason where we may not write."""
    for lead in leads:
        why = f"  (left out: {reason_said(lead.left_out)})" if lead.left_out else ""
        screen.print(f"{indent}{lead.email}{why}")


def example_document(lead: "Example") -> dict[str, Any]:
    """One lead for scripts."""
    return {"id": lead.id, "email": lead.email, "left_out": lead.left_out}
