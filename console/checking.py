"""Templates checked as their files are now, the spam score included."""

from collections.abc import Sequence
from contextlib import suppress

from campaigns import tracking_over
from console.previews import (
    compiled_now,
    identity_name,
    lead_named,
    segments_now,
    template_files,
)
from console.spam_checks import SPAMD, somebody, spam_findings
from console.wiring import Workspace
from templates import Finding, SourceError, check, web_findings

_ORDER = {"error": 0, "warning": 1, "notice": 2}


def checked(
    workspace: Workspace, names: Sequence[str], *, email: str | None, identity: str | None
) -> dict[str, list[Finding]]:
    """Findings by template, errors first; under the empty name what is said once for all.

    `email` is the lead whose mail is scored, else the first there is. Raises Refused for a name
    that does not exist.
    """
    known = workspace.settings.identities
    writer = identity_name(workspace, identity) if identity else next(iter(known), None)
    lead = lead_named(workspace, email) if email else somebody(workspace)
    found: dict[str, list[Finding]] = {}
    once: list[Finding] = []
    for name in names:
        findings = findings_now(workspace, name)
        if writer is not None and not once:
            try:
                compiled = compiled_now(workspace, name)
            except SourceError:
                pass  # a finding says so already
            else:
                spam = spam_findings(workspace, compiled, known[writer], lead)
                once = [each for each in spam if each.where == SPAMD]
                findings += [each for each in spam if each.where != SPAMD]
        found[name] = sorted(findings, key=lambda each: _ORDER[each.level])
    return {**found, "": once} if once else found


def findings_now(workspace: Workspace, name: str) -> list[Finding]:
    """What is wrong with a template's files, without the spam score. Raises Refused."""
    files, partials = template_files(workspace, name)
    found = check(
        files,
        partials=partials,
        segments=segments_now(workspace, files, partials),
        link_domains=workspace.settings.templates.link_domains,
        tracking=tracking_over(workspace.settings.web.base_url),
    )
    if not workspace.settings.web.base_url:
        with suppress(SourceError):  # a finding says so already
            found += web_findings(compiled_now(workspace, name))
    return found
