"""The settings of how fast mail leaves: `[pace.NAME]`, `[provider.NAME]`, `[[answer]]`."""

from console.setting import Setting

#: What an answer can be about, as `deliverability/answers.toml` says it.
CAUSES = (
    "rate",
    "greylist",
    "mailbox",
    "address",
    "blocked",
    "authentication",
    "sender",
    "tls",
    "content",
    "policy",
    "network",
    "other",
)

PACE: tuple[Setting, ...] = (
    Setting(
        "pace.*.per_minute",
        "number",
        "Messages per minute a lane (one identity, one receiving provider) begins with, until its "
        "answers have taught it better; 60 unless said. NAME is `default` or a provider: `google`, "
        "`wp`, one of your own.",
        least=0.01,
        most=1_000_000,
    ),
    Setting(
        "pace.*.at_most_per_minute",
        "number",
        "Messages per minute a lane never passes, however willingly its mail is taken; five times "
        "`per_minute` unless said. As much as `per_minute`: a lane that never gets faster.",
        least=0.01,
        most=1_000_000,
    ),
    Setting(
        "pace.*.connections",
        "whole number",
        "Connections a lane may open; 2 unless said.",
        least=1,
        most=500,
    ),
    Setting(
        "pace.*.per_connection",
        "whole number",
        "Messages on one connection before it is closed; 100 unless said.",
        least=1,
        most=100_000,
    ),
    Setting(
        "pace.*.jitter",
        "number",
        "Random extra room between two messages, as a share of the gap; 0.2 unless said.",
        least=0,
        most=1,
    ),
    Setting(
        "provider.*.domains",
        "texts",
        "Domains that share one lane and one `[pace.NAME]`; a known provider gets them besides its "
        "own.",
    ),
    Setting(
        "provider.*.mx",
        "texts",
        "Ends of the names of its mail servers (MX): domains whose mail they take belong to it.",
    ),
    Setting(
        "answer[].cause",
        "text",
        "What such an answer of a server is about, before the shipped table is asked: `rate` slows "
        "the lane down, `blocked` keeps it still for two hours, `greylist` and `mailbox` only put "
        "the message off, `address` suppresses.",
        choices=CAUSES,
        required=True,
    ),
    Setting("answer[].provider", "text", "Only answers of this provider; else of all."),
    Setting("answer[].codes", "text", "Pattern for the whole code: `4..`, `45[012]`."),
    Setting("answer[].enhanced", "text", "Pattern for the whole enhanced code: `4[.]7[.]0`."),
    Setting("answer[].words", "text", "Pattern found anywhere in the words, whatever their case."),
    Setting(
        "answer[].phases",
        "texts",
        "How far the dialogue had got: `connect`, `mail`, `rcpt`, `data`, `body`; else any.",
    ),
    Setting(
        "answer[].suspend_minutes",
        "number",
        "How long such an answer keeps the lane still; else as its cause says.",
        least=0.1,
        most=10_080,
    ),
)
