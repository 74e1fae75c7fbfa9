from pathlib import Path

from console.known_settings import SETTINGS
from console.settings_page import page

DOCS = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


def test_the_page_is_in_step_with_the_settings() -> None:
    written = DOCS.read_text("utf-8")
    assert written == page(), "python -m console.settings_page > docs/settings.md"


def test_every_setting_is_on_the_page_with_one_line() -> None:
    written = DOCS.read_text("utf-8")
    for setting in SETTINGS:
        key = setting.path.rpartition(".")[2]
        assert f"| `{key}` |" in written
        assert setting.about in written
        assert "\n" not in setting.about
