"""The kind of argument that is a rule, or the name of a segment."""

from typing import Any

import click
from click.types import StringParamType


class RuleText(StringParamType):
    """Completed by Tab; far too much of it is refused before anything heavy is imported."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from console.rule_words import overgrown

        text = super().convert(value, param, ctx)
        if wrong := overgrown(text):
            raise click.ClickException(wrong)
        return text

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[Any]:
        from console.cli import offers

        return offers.rule(ctx, param, incomplete)


RULE = RuleText()
