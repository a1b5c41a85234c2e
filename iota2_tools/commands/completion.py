"""`iota2 completion`: what a shell completes after `iota2`, from the options of the commands."""

import argparse
from collections.abc import Iterator

DESCRIPTION = """Print what makes a shell complete commands, options, choices and stages. For this shell:
  source <(iota2 completion bash)
For all: put that line into ~/.bashrc or ~/.zshrc (there `zsh`, below `compinit`).
"""
EXAMPLES = """examples:
  iota2 completion bash >> ~/.bashrc
  source <(iota2 completion zsh)
"""
BASH = """_iota2() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" words="" files=yes
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="{commands} --help --version"; files=no
  else
    case "${{COMP_WORDS[1]}}:$before" in
{choices}
      *) case "${{COMP_WORDS[1]}}" in
{options}
      esac ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  if [ "$files" = yes ] && [ "${{word:0:1}}" != - ]; then
    COMPREPLY+=($(compgen -f -- "$word"))
  fi
}}
complete -o filenames -F _iota2 iota2
"""
ZSH = "autoload -U +X bashcompinit && bashcompinit\n"


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Options of the command."""
    parser = commands.add_parser(
        "completion", help="what makes bash or zsh complete this command",
        description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("shell", choices=("bash", "zsh"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print it; exit code."""
    from iota2_tools.commands.cli import parser

    print(script(parser(), arguments.shell), end="")
    return 0


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """What a shell reads to complete the command of a parser."""
    commands = commands_of(parser)
    choices = "\n".join(line for name in commands for line in _choices(name, commands[name]))
    options = "\n".join(
        f'        {name}) words="{" ".join(words_of(name, command))}" ;;'
        for name, command in commands.items()
    )
    text = BASH.format(commands=" ".join(commands), choices=choices, options=options)
    return f"{ZSH if shell == 'zsh' else ''}{text}"


def commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Parsers of the commands, by name."""
    (action,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


def words_of(name: str, parser: argparse.ArgumentParser) -> list[str]:
    """What may follow a command: its own commands, choices, options; stages where jobs are asked for."""
    words: list[str] = []
    for action in parser._actions:
        words += action.option_strings
        if not action.option_strings and action.choices:
            words += map(str, action.choices)
        if action.dest == "targets":
            words += _stages()
    return words


def _stages() -> list[str]:
    from iota2_tools.core.places import ROOT
    from iota2_tools.planning.stages import stages_of_rules

    return list(dict.fromkeys(["all", *stages_of_rules(ROOT).values()]))


def _choices(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    """What may follow an option that has choices, and profiles."""
    from iota2_tools.core.places import PROFILES

    for action in parser._actions:
        values = list(map(str, action.choices)) if action.choices else []
        if "--profile" in action.option_strings:
            values = sorted(path.parent.name for path in PROFILES.glob("*/config.yaml"))
        if action.option_strings and values:
            cases = "|".join(f"{name}:{option}" for option in action.option_strings)
            yield f'      {cases}) words="{" ".join(values)}"; files=no ;;'
