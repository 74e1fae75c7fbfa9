"""What is wrong with `message.toml`: the subject, the preheader, the defaults."""

import re
from collections.abc import Iterator

from templates.finding import Finding
from templates.message_file import MESSAGE, line_of
from templates.source import Source

#: Desktops show some 70 characters of a subject, phones some 40.
LONG_SUBJECT, PHONE_SUBJECT = 70, 40
_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


def message_findings(source: Source) -> Iterator[Finding]:
    """What is wrong with `message.toml`: subject, preheader, defaults."""
    toml = source.files[MESSAGE]
    line = line_of(toml, "subject")
    for text in source.subject.values():
        if not text.strip():
            yield Finding(
                id="empty-subject",
                level="error",
                where=f"{MESSAGE}:{line}",
                what="the subject is empty",
                do='write subject = "..."',
            )
        else:
            yield from _length(text, f"{MESSAGE}:{line}")
    for language, fields in source.defaults.items():
        if language and language not in {**source.subject, **source.html, **source.text}:
            yield Finding(
                id="unused-defaults",
                level="warning",
                where=f"{MESSAGE}:{line_of(toml, language)}",
                what=f"defaults.{language} is never used: there is no text in that language",
                do=f"write body.{language}.html or a subject for {language}",
            )
        del fields
    if source.html and not any(text.strip() for text in source.preheader.values()):
        yield Finding(
            id="no-preheader",
            level="notice",
            where=f"{MESSAGE}:1",
            what="there is no preheader, so inboxes show the first words of the body",
            do='write preheader = "..."',
        )


def _length(text: str, where: str) -> Iterator[Finding]:
    # What is printed comes on top, so a text too long without it is too long.
    own = len(" ".join(_JINJA.sub("", text).split()))
    if own > LONG_SUBJECT:
        yield Finding(
            id="long-subject",
            level="warning",
            where=where,
            what=f"the subject has {own} characters; inboxes show 40 to 70",
            do="put what matters first, or shorten it",
        )
    elif own > PHONE_SUBJECT and "{" not in text:
        yield Finding(
            id="subject-on-phones",
            level="notice",
            where=where,
            what=f'phones show about {PHONE_SUBJECT} characters of a subject: "'
            f'{text[:PHONE_SUBJECT].rstrip()}..."',
            do="let the first words say what it is about",
        )
