"""What applying does to a segment's leads, on the terminal."""

from typing import TYPE_CHECKING

from console.cli.segment_view import leads_said, show_examples

if TYPE_CHECKING:
    from rich.console import Console

    from console.effects import Effect, Moving, Use
    from console.workspace import Change

_INDENT = "    "


def show_effect(
    screen: "Console", change: "Change", effect: "Effect | None", *, short: bool = False
) -> None:
    """How many enter and leave; unless `short`, examples and what uses the segment."""
    if effect is None:
        return
    if effect.before is None or effect.after is None:
        held = effect.after if effect.before is None else effect.before
        verb = "holds" if effect.before is None else "held"
        screen.print(f"{_INDENT}{verb} {leads_said(held or 0)}")
    else:
        screen.print(
            f"{_INDENT}{leads_said(effect.before)} before, {effect.after:,} after: "
            f"{_moves(effect.entering, 'enter')}, {_moves(effect.leaving, 'leave')}"
        )
    if short:
        return
    for moving, verb in ((effect.entering, "enter"), (effect.leaving, "leave")):
        if moving.count:
            of = f", the first {len(moving.examples)}" * (moving.count > len(moving.examples))
            screen.print(f"{_INDENT}{verb}{of}:")
            show_examples(screen, moving.examples, indent=_INDENT + "  ")
    for use in effect.used_by:
        screen.print(f"{_INDENT}{_used(use, removed=change.what == 'removed')}")


def _moves(moving: "Moving", verb: str) -> str:
    if not moving.count:
        return f"nobody {verb}s"
    return f"{moving.count:,} {verb}{'s' if moving.count == 1 else ''}"


def _used(use: "Use", *, removed: bool) -> str:
    through = f" through segment {use.through}" if use.through else ""
    if use.kind == "run":
        since = f" since {use.since:%Y-%m-%d %H:%M} UTC" if use.since else ""
        kept = "it keeps the leads it planned, by the rule it started with"
        return f"campaign {use.name} is {use.state}{since}{through}: {kept}"
    if removed:
        return f"{use.kind} {use.name} names it{through}"
    if use.kind == "sequence":
        return f"sequence {use.name} takes in leads by it{through}; those already in it go on"
    if use.kind == "segment":
        return f"segment {use.name} names it and changes too"
    return f"campaign {use.name} uses it{through}, from its next start on"
