"""Each outside package has its place: who wants to replace one finds it in one spot."""

import ast

import pytest

from tests.law.tree import name_of, nodes, sources

#: Package -> the files and folders that may import it.
PLACES = {
    "aiosmtplib": ("deliverability/smtp.py",),
    "aiosmtpd": ("console/demo/receiver.py",),
    "click": ("console/cli/", "console/commands_page.py"),
    "rich": ("console/cli/", "console/demo/"),
    "jinja2": ("templates/", "console/web/"),
    "premailer": ("templates/inline.py",),
    "lxml": ("templates/",),
    "babel": ("templates/filters.py",),
    "lark": ("segments/",),
    "tomlkit": ("console/",),
    "email_validator": ("leads/address.py",),
    "charset_normalizer": ("leads/intake/",),
    "openpyxl": ("leads/intake/", "insights/"),
    "cryptography": ("deliverability/dkim.py", "console/identities.py"),
    "itsdangerous": ("deliverability/links.py",),
    "dns": ("deliverability/",),
    "imap_tools": ("deliverability/",),
    "holidays": ("campaigns/public_holidays.py",),
    "apscheduler": ("campaigns/schedule.py",),
    "procrastinate": ("campaigns/",),
    "fastapi": ("console/web/",),
    "uvicorn": ("console/web/", "console/cli/"),
    "alembic": ("console/schema.py", "console/migrations/"),
    "filelock": ("console/",),
    "uvloop": ("console/",),
    "scipy": ("insights/",),
}


def imports(module: str) -> list[str]:
    found = []
    for path in sources():
        for node in nodes(path):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            if any(name.partition(".")[0] == module for name in names):
                found.append(name_of(path))
    return found


@pytest.mark.parametrize("module", PLACES)
def test_a_package_is_imported_in_its_place_only(module: str) -> None:
    wrong = [path for path in imports(module) if not path.startswith(PLACES[module])]
    assert not wrong, f"{module} belongs into {', '.join(PLACES[module])}"
