"""What the commands share: the group, what goes wrong, options."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

import click

from stack.base.errors import StackError
from stack.capture.error import FilterError

_F = TypeVar("_F", bound=Callable[..., Any])
WRONG = 2  # exit code for everything that the user can mend


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="packetstack", message="packetstack %(version)s")
def cli() -> None:
    """A packet-level TCP/IP network in this process: no root, virtual time, every packet in sight."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command. What goes wrong is said on one line of standard error; the exit code is then 2."""
    try:
        code = cli.main(arguments, prog_name="packetstack", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = 0
    except click.exceptions.Abort:
        code = 130
    except click.ClickException as error:
        fail(error.format_message())
    except FilterError as error:
        fail(f"filter {error.text!r}, column {error.position + 1}: {error.expected}")
    except (StackError, ValueError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    sys.exit(code or 0)


def fail(message: str) -> NoReturn:
    """Say on one line what is wrong, and leave."""
    click.echo("packetstack: " + " ".join(message.split()), err=True)
    sys.exit(WRONG)


seeded = click.option("--seed", default=1, show_default=True, help="The same seed gives the same packets.")


def link_options(**defaults: str | None) -> Callable[[_F], _F]:
    """Options for the settings of links, with these defaults."""
    said = {
        "rate": 'Bits a second: "10 Mbit".', "delay": 'One way: "20 ms".', "jitter": 'More or less delay: "5 ms".',
        "loss": 'Share of frames that are lost: "1%".', "duplication": "Share of frames that come twice.",
        "reordering": "Share of frames that are overtaken.", "corruption": "Share of frames of which a bit is flipped.",
    }  # fmt: skip

    def decorate(function: _F) -> _F:
        for name, text in reversed(said.items()):
            function = click.option(f"--{name}", default=defaults.get(name), show_default=name in defaults, help=text)(function)
        return function

    return decorate


def given(settings: dict[str, str | None]) -> dict[str, str]:
    """The settings of links that the user has given, or that have a default."""
    return {name: value for name, value in settings.items() if value is not None}
