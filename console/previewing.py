"""`templates preview`: what the page shows, read from the files each time it is asked.

Compiling and checking are done once per state of the files; rendering for every look.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from campaigns import tracking_over
from console.errors import Refused, explain
from console.leafing import Crowd
from console.mail_parts import (
    WIDTHS,
    Opened,
    for_screen,
    has_dark_rules,
    numbered,
    open_mail,
    read_html,
)
from console.previews import lead_named, segments_now, specimen, template_files, trial
from console.web.preview import Look, Shown, Wrong
from console.wiring import Workspace
from deliverability import Identity, read_click
from leads import Recipient, recipients
from templates import Compiled, Finding, check, compile_template

#: Mails kept for the frames that show them: two widths and some leads back.
_KEPT = 40
#: Leads offered by the search.
_OFFERED = 12


class Preview:
    """One template, looked at by one person through the page."""

    def __init__(
        self, workspace: Workspace, name: str, sender: Identity, crowd: Crowd, *, lead: str = ""
    ) -> None:
        """`lead` is whom to begin with. Raises Refused for a template that is not there."""
        self.workspace, self.name, self.sender, self.crowd = workspace, name, sender, crowd
        self._begin = lead
        self._lock = Lock()
        self._made: tuple[str, Compiled | Exception, list[Finding]] | None = None
        self._mails: OrderedDict[str, Opened] = OrderedDict()
        template_files(workspace, name)

    def stamp(self) -> str:
        """Changes whenever a file of the template or a partial does; cheap enough to ask often."""
        folder = self.workspace.path / "templates" / self.name
        told = []
        # Templates may ask about segments, so their rules are part of what is seen.
        rules = (self.workspace.path / "segments").glob("*.toml")
        for path in sorted([*folder.glob("*"), *folder.parent.glob("_*"), *rules]):
            try:
                state = path.stat()
            except OSError:
                continue  # an editor is just replacing it
            told.append(f"{path} {state.st_mtime_ns} {state.st_size} {state.st_ino}")
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]

    def look(self, email: str) -> Look:
        """The mail `email` would get from the files as they are, or what is wrong with them.

        Empty is whom the preview began with, else the first lead, else somebody invented.
        """
        stamp = self.stamp()
        lead, left_out, invented = self._lead(email or self._begin)
        shown = Shown(
            email=lead.email,
            name=lead.name,
            company=lead.company,
            stage=lead.stage,
            language=lead.language,
            left_out=left_out,
            invented=invented,
        )
        findings: list[Finding] = []
        try:
            files, partials = template_files(self.workspace, self.name)
            compiled, findings = self._compiled(files, partials)
            if isinstance(compiled, Exception):
                raise compiled
            written = trial(self.workspace, compiled, self.sender, lead)
        except Exception as error:  # half-written files are what a preview is looked at with
            return Look(
                template=self.name,
                stamp=stamp,
                lead=shown,
                findings=findings,
                wrong=self._wrong(error),
            )
        opened = open_mail(written.envelope.data)
        html = opened.html
        said = read_html(html, tuple(WIDTHS.values())) if html is not None else None
        return Look(
            template=self.name,
            stamp=stamp,
            lead=shown,
            sender=f"{self.sender.from_name} <{self.sender.from_address}>".strip(),
            subject=written.sent.subject or "",
            first_words=said.first_words if said else " ".join(opened.text.split())[:140],
            language=written.sent.context["envelope"]["language"] or compiled.language,
            languages=list(compiled.languages),
            size=len(written.envelope.data),
            html_size=len((html or "").encode()),
            signed=self.sender.dkim.domain if self.sender.dkim else "",
            mail=self._keep(opened) if html is not None else None,
            widths=WIDTHS,
            heights={name: said.heights[width] for name, width in WIDTHS.items()} if said else {},
            dark_rules=html is not None and has_dark_rules(html),
            text=opened.text,
            source=html or "",
            headers=opened.headers,
            attached=list(opened.attached),
            links=[self._told(*each) for each in said.links] if said else [],
            findings=findings,
        )

    def mail(self, key: str, *, dark: bool) -> str | None:
        """The HTML of a mail that `look` gave the key of; None when it is forgotten."""
        opened = self._mails.get(key)
        return None if opened is None else for_screen(opened, dark=dark)

    def message(self, email: str) -> bytes:
        """The complete mail as bytes. Raises what compiling and rendering raise."""
        files, partials = template_files(self.workspace, self.name)
        compiled, _ = self._compiled(files, partials)
        if isinstance(compiled, Exception):
            raise compiled
        lead, _, _ = self._lead(email)
        return trial(self.workspace, compiled, self.sender, lead).envelope.data

    def beside(self, email: str, *, forward: bool) -> str | None:
        """The address of the next lead or the one before; None at the end."""
        lead, _, invented = self._lead(email)
        if invented:
            return None
        with self.workspace.database.reading() as session:
            other = self.crowd.beside(session, lead.lead_id, forward=forward)
            return None if other is None else recipients(session, [other])[other].email

    def offers(self, text: str) -> Sequence[dict[str, Any]]:
        """Some leads whose address, name or company contains `text`."""
        with self.workspace.database.reading() as session:
            found = self.crowd.found(session, text.strip(), limit=_OFFERED)
        return [{"email": b.email, "name": b.name, "company": b.company} for b in found]

    def count(self) -> int:
        """How many leads can be leafed through."""
        return self.workspace.database.read(self.crowd.count)

    def _lead(self, email: str) -> tuple[Recipient, str, bool]:
        """(whom, why nobody writes to them, whether they are invented)."""
        database = self.workspace.database
        if email:
            lead = lead_named(self.workspace, email)
        else:
            with database.reading() as session:
                first = self.crowd.first(session)
                if not first:
                    now = self.workspace.now()
                    return specimen("anna.nowak@example.com", "", now=now), "", True
                lead = recipients(session, first)[first[0]]
        return lead, database.read(lambda s: self.crowd.left_out(s, lead.lead_id)), False

    def _compiled(
        self, files: dict[str, bytes], partials: dict[str, bytes]
    ) -> tuple[Compiled | Exception, list[Finding]]:
        segments = segments_now(self.workspace, files, partials)
        state = hashlib.sha256(repr((files, partials, segments)).encode()).hexdigest()
        with self._lock:
            if self._made is None or self._made[0] != state:
                made: Compiled | Exception
                try:
                    made = compile_template(self.name, files, partials=partials, segments=segments)
                except Exception as error:  # told on the page
                    made = error
                found = check(
                    files,
                    partials=partials,
                    segments=segments,
                    link_domains=self.workspace.settings.templates.link_domains,
                    tracking=tracking_over(self.workspace.settings.web.base_url),
                )
                self._made = (state, made, found)
            return self._made[1:]

    def _told(self, words: str, address: str) -> list[str]:
        """A link as the page lists it: what it says, where it leads in the end, how."""
        front = f"{self.workspace.settings.web.base_url.rstrip('/')}/c/"
        if address.startswith(front):
            link = read_click(self.workspace.keys.links, address.removeprefix(front))
            if link is not None:
                return [words, link.target, "tracked"]
        return [words, address, ""]

    def _keep(self, opened: Opened) -> str:
        key = hashlib.sha256(repr((opened.html, opened.pictures)).encode()).hexdigest()[:24]
        with self._lock:
            self._mails[key] = opened
            self._mails.move_to_end(key)
            while len(self._mails) > _KEPT:
                self._mails.popitem(last=False)
        return key

    def _wrong(self, error: Exception) -> Wrong:
        where = str(getattr(error, "where", ""))
        lines, line = [], 0
        # Errors of templates know place and words apart; others tell all in one line.
        what = str(getattr(error, "what", "")) or explain(error)[0]
        if do := str(getattr(error, "do", "")):
            what += f"; {do}"
        place = re.fullmatch(r"([^/:]+):(\d+)", where)
        if place:
            line = int(place[2])
            templates = self.workspace.path / "templates"
            for path in (templates / self.name / place[1], templates / place[1]):
                text = _read(path)
                if text is not None:
                    lines = numbered(text, line)
                    where = f"{path.relative_to(self.workspace.path).as_posix()}:{line}"
                    break
        return Wrong(what=what, where=where, line=line, lines=lines)


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return None


def first_leads(workspace: Workspace, crowd: Crowd, count: int) -> list[str]:
    """The addresses of the first leads of a crowd. Raises Refused when there is none."""
    with workspace.database.reading() as session:
        found = crowd.first(session, count)
        named = recipients(session, found)
    if not found:
        raise Refused(f"No lead fits {crowd.name}" if crowd.name else "There is no lead yet")
    return [named[each].email for each in found]
