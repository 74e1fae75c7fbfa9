from pathlib import Path

from console.commands_page import page


def test_the_page_of_commands_is_what_help_says() -> None:
    shipped = Path(__file__).parents[2] / "docs" / "commands.md"
    assert shipped.read_text("utf-8") == page(), "run python -m console.commands_page"
