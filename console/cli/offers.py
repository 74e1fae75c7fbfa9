"""What Tab offers for the arguments of commands: each is a `shell_complete=` callback.

Nothing is imported before somebody presses Tab.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from click.types import StringParamType

from console.cli.rule_text import RULE

if TYPE_CHECKING:
    from console.glimpse import Glimpse


def offering(
    choose: "Callable[[Glimpse, str], list[str]]",
) -> Callable[[click.Context, click.Parameter, str], list[Any]]:
    """A `shell_complete=` callback out of a function of a workspace and what is typed.

    Whatever goes wrong offers nothing: an error has no place in a line somebody is typing.
    """

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[Any]:
        try:
            from click.shell_completion import CompletionItem

            from console.glimpse import Glimpse, workspace_at

            late = ctx.params.get("workspace_named_late")
            named = late or ctx.find_root().params.get("workspace")
            glimpse = Glimpse(workspace_at(named))
            return [CompletionItem(each) for each in choose(glimpse, incomplete)]
        except Exception:
            return []

    return complete


def _rule(glimpse: "Glimpse", typed: str) -> list[str]:
    from console.completing import complete_rule
    from console.glimpse import vocabulary

    return complete_rule(typed, vocabulary(), glimpse, names=glimpse.files("segments"))


def _new_rule(glimpse: "Glimpse", typed: str) -> list[str]:
    from console.completing import complete_rule
    from console.glimpse import vocabulary

    return complete_rule(typed, vocabulary(), glimpse)


def _field(glimpse: "Glimpse", typed: str) -> list[str]:
    from console.completing import complete_field
    from console.glimpse import vocabulary

    return complete_field(typed, vocabulary(), glimpse)


def _columns(glimpse: "Glimpse", typed: str) -> list[str]:
    head, comma, last = typed.rpartition(",")
    return [f"{head}{comma}{each}" for each in _field(glimpse, last) if "." not in each[:6]]


def _begun(names: list[str], typed: str) -> list[str]:
    return [name for name in names if name.startswith(typed)]


#: A segment's name or a rule.
rule = offering(_rule)
#: A rule only.
new_rule = offering(_new_rule)
#: A field, attribute, preference, event.
field = offering(_field)
#: Several of them, with commas between.
columns = offering(_columns)
segment = offering(lambda glimpse, typed: _begun(glimpse.files("segments"), typed))
template = offering(lambda glimpse, typed: _begun(glimpse.files("templates"), typed))
campaign = offering(lambda glimpse, typed: _begun(glimpse.files("campaigns"), typed))
sequence = offering(lambda glimpse, typed: _begun(glimpse.files("sequences"), typed))
identity = offering(lambda glimpse, typed: _begun(glimpse.identities(), typed))
email = offering(lambda glimpse, typed: glimpse.column("email", typed) if typed else [])

#: By the name of a parameter, in any group.
_ANYWHERE = {
    "email": email,
    "given": rule,
    "segment": segment,
    "template": template,
    "identity": identity,
    "campaign": campaign,
}
#: What `name` means in a group.
_NAMED = {
    "campaigns": campaign,
    "sequences": sequence,
    "templates": template,
    "identity": identity,
    "segments": rule,
}


class _Offered(StringParamType):
    """A text for which Tab offers something."""

    def __init__(self, offers: Callable[[click.Context, click.Parameter, str], list[Any]]) -> None:
        self._offers = offers

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[Any]:
        return self._offers(ctx, param, incomplete)


def offer(group: str, command: click.Command) -> None:
    """Lets Tab complete the command's parameters whose names say what they are."""
    for param in command.params:
        known = _NAMED.get(group) if param.name == "name" else _ANYWHERE.get(param.name or "")
        if known is not None and type(param.type) is StringParamType:
            param.type = RULE if known is rule else _Offered(known)
