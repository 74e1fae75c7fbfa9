"""The settings of `[identity.NAME.limits]`: what one identity may use up."""

from console.setting import Setting

LIMITS: tuple[Setting, ...] = (
    Setting(
        "identity.*.limits.per_day",
        "whole number",
        "Mails per day over all lanes; without it there is no cap.",
        least=1,
        most=10_000_000,
    ),
    Setting(
        "identity.*.limits.connections",
        "whole number",
        "Connections to the mail server at the same time.",
        10,
        least=1,
        most=500,
    ),
    Setting(
        "identity.*.limits.per_connection",
        "whole number",
        "Messages on one connection before it is closed and opened anew.",
        100,
        least=1,
        most=100_000,
    ),
    Setting(
        "identity.*.limits.warm_up",
        "text",
        "A new sender's way up, a little more on each day that goes well: `mailbox` (5 to 50 a "
        "day), `domain`, `domain-fast`. `per_day` holds where it allows less.",
        choices=("mailbox", "domain", "domain-fast"),
    ),
    Setting(
        "identity.*.limits.warm_up_steps",
        "whole numbers",
        "A way up of your own instead: messages a day, step by step. The last one holds.",
        least=1,
        most=10_000_000,
    ),
    Setting(
        "identity.*.limits.spread",
        "yes or no",
        "Spread a day's messages over its hours (those of the campaigns' windows, else twelve). "
        "Yes with a warm-up, no without, unless said.",
    ),
)
