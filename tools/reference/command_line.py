"""Writes the page of the ``airlock`` command from its own parsers."""

import argparse
from collections.abc import Iterator

from airlock_server import cli
from reference import markdown

HEAD = """\
# Command line

This page is written by `make manifests` from the command's own parsers; a test holds them equal. `--help` after every
command says the same.

On a laptop the command is `.venvs/runtime/bin/airlock` after `make demo`. In a cluster it runs in the server's pod:
`kubectl -n airlock-system exec deploy/airlock-server -- airlock ...`.

Exit codes are 0 for done, 1 for failed and 2 for wrong usage or a wrong setting. `airlock tasks run` and
`airlock dags test` have more, below.
"""


def page() -> str:
    """Write the whole page."""
    parts = [HEAD, markdown.table(("command", "what it does"), [_link(name, line) for name, _, line in cli.COMMANDS])]
    for name, _, line in cli.COMMANDS:
        parts.append(f"## airlock {name}\n\n{line[:1].upper()}{line[1:]}.\n")
        parts += [_command(parser) for parser in _leaves(_parser(name))]
    return "\n".join(parts)


def commands() -> dict[str, set[str]]:
    """List every command that does something, without the word ``airlock``, and its options."""
    leaves = [leaf for name, _, _ in cli.COMMANDS for leaf in _leaves(_parser(name))]
    return {
        leaf.prog.removeprefix("airlock "): {option for action in leaf._actions for option in action.option_strings}  # noqa: SLF001 - as below
        for leaf in leaves
    }


def _link(name: str, line: str) -> tuple[str, str]:
    return f"[`airlock {name}`](#airlock-{name})", line


def _parser(name: str) -> argparse.ArgumentParser:
    """Make a command's parser, as its module adds it to that of ``airlock``."""
    top = argparse.ArgumentParser(prog="airlock")
    cli.register(top, [name])
    return _subparsers(top)[name]


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    actions = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001 - argparse has no public way to its arguments
    return dict(actions[0].choices) if actions else {}


def _leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield the commands that do something: those without commands below them."""
    below = _subparsers(parser)
    if not below:
        yield parser
    for each in below.values():
        yield from _leaves(each)


def _command(parser: argparse.ArgumentParser) -> str:
    actions = [each for each in parser._actions if not isinstance(each, argparse._HelpAction)]  # noqa: SLF001 - as above
    words = " ".join([parser.prog, *(_usage(each) for each in actions)])
    rows = [(markdown.code(_name(each)), _help(each)) for each in actions]
    parts = [f"### {parser.prog.removeprefix('airlock ')}\n", f"```text\n{words}\n```\n"]
    parts += [f"{markdown.prose(parser.description)}\n"] if parser.description else []
    parts += [markdown.table(("argument", "what it is"), rows)] if rows else []
    parts += [f"{markdown.prose(parser.epilog)}\n"] if parser.epilog else []
    return "\n".join(parts)


def _name(action: argparse.Action) -> str:
    """Name an argument with what it takes: ``--try N``."""
    takes = action.metavar or ("|".join(action.choices) if action.choices else action.dest.upper())
    if not action.option_strings:
        return str(takes)
    return " ".join([action.option_strings[-1], *([str(takes)] if action.nargs != 0 else [])])


def _usage(action: argparse.Action) -> str:
    optional = bool(action.option_strings and not action.required) or action.nargs in ("?", "*")
    return f"[{_name(action)}]" if optional else _name(action)


def _help(action: argparse.Action) -> str:
    text = markdown.prose(action.help or "")
    default = action.default
    if action.option_strings and isinstance(default, str) and default:
        text += f"; default `{default}`"
    return text
