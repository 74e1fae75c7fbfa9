"""`potok completion`: the script that makes Tab complete commands, segments, rules, leads."""

from typing import Any

import click

from console.cli import main
from console.cli.frame import Frame, command

#: How each shell loads it, for good.
LOADED = {
    "bash": "potok completion bash > ~/.local/share/bash-completion/completions/potok",
    "zsh": "potok completion zsh > ~/.zfunc/_potok   (a folder of $fpath)",
    "fish": "potok completion fish > ~/.config/fish/completions/potok.fish",
}

#: Unlike click's own: a rule has spaces and quotes, and is one word of the shell. Where it is not
#: quoted yet, the quote is put in front; within double quotes what the shell would read is escaped.
_BASH = r"""%(complete_func)s() {
    local IFS=$'\n' cur="${COMP_WORDS[COMP_CWORD]}" line type value
    COMPREPLY=()
    while IFS= read -r line; do
        type="${line%%%%,*}" value="${line#*,}"
        case "$type" in
            dir) compopt -o dirnames; continue ;;
            file) compopt -o default; continue ;;
            plain) ;;
            *) continue ;;
        esac
        case "$cur" in
            \"*) value="${value//\\/\\\\}"; value="${value//\"/\\\"}"
                 value="${value//\$/\\\$}"; value="${value//\`/\\\`}" ;;
            \'*) [[ "$value" == *\'* ]] && continue ;;
            *) if [[ "$value" == *[[:space:]\"\(\)\<\>\&\;\|\$\`\*\?]* ]]; then
                   [[ "$value" == *\'* ]] && continue
                   value="'$value"
               fi ;;
        esac
        # More of the rule belongs behind these.
        [[ "$value" == *[[:space:].\(] ]] && compopt -o nospace
        COMPREPLY+=("$value")
    done < <(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


@command(main, "completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(frame: Frame, shell: str) -> None:
    """Print the script that lets Tab complete commands, names and rules.

    Within a rule it offers fields, what can be said of them, and values your leads really have.

    \b
    Example:
      eval "$(potok completion bash)"
      potok completion bash > ~/.local/share/bash-completion/completions/potok
    """
    script = script_for(shell)

    def human(screen: Any) -> None:
        click.echo(script)

    frame.emit({"shell": shell, "script": script, "load": LOADED[shell]}, human)


def script_for(shell: str) -> str:
    """The script of bash, zsh or fish."""
    from click.shell_completion import get_completion_class

    known = get_completion_class(shell)
    assert known is not None  # noqa: S101 - click has these three
    made = known(main, {}, "potok", "_POTOK_COMPLETE")
    return (_BASH if shell == "bash" else made.source_template) % made.source_vars()
