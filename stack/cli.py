"""The command line: `packetstack demo`, `ping`, `show`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import click

from stack.base.errors import StackError
from stack.capture.error import FilterError

if TYPE_CHECKING:
    from rich.console import Console

    from stack.capture.trace import Trace

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
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except FilterError as error:
        fail(f"filter {error.text!r}, column {error.position + 1}: {error.expected}")
    except StackError as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    sys.exit(code or 0)


def fail(message: str) -> NoReturn:
    """Say on one line what is wrong, and leave."""
    click.echo("packetstack: " + " ".join(message.split()), err=True)
    sys.exit(WRONG)


@cli.command()
@click.argument("file", type=click.Path())
@click.argument("filter", nargs=-1)
@click.option("-c", "--count", type=click.IntRange(min=1), help="Stop after this many packets.")
@click.option("-V", "--detail", is_flag=True, help="Every layer, field and byte of each packet.")
@click.option("--ladder", is_flag=True, help="A time-sequence diagram instead of a list.")
@click.option("--causes/--no-causes", default=True, help="Why packets are there, where the file tells.", show_default=True)
def show(file: str, filter: tuple[str, ...], count: int | None, detail: bool, ladder: bool, causes: bool) -> None:
    """Show the packets of a pcap or pcapng FILE, those for which FILTER (as in Wireshark) holds.

    A damaged file gives every packet before the damage, then one line that says where it is.

    \b
    packetstack show demo.pcapng
    packetstack show demo.pcapng 'tcp.flags.syn == 1' --ladder
    packetstack show demo.pcapng tcp.analysis.retransmission -c 1 -V
    """
    from rich.console import Console

    from stack.capture.trace import Trace

    trace = Trace.read(file)
    damage = trace.damage
    if filter:
        trace = trace.filter(" ".join(filter))
    if count is not None:
        trace = trace[:count]
    console = Console(highlight=False)
    if ladder:
        from stack.view.arrows import ladder as draw

        click.echo(draw(trace).text(console.width))
    elif detail:
        _show_details(trace)
    else:
        _show_lines(trace, console, causes)
    if damage is not None and (count is None or len(trace) < count):
        sys.stdout.flush()
        fail(str(damage))


def _show_lines(trace: Trace, console: Console, causes: bool) -> None:
    from stack.view.text import coloured, lines

    if console.is_terminal:
        for text in coloured(trace, causes):
            console.print(text)
    else:
        for line in lines(trace, causes):
            click.echo(line)


def _show_details(trace: Trace) -> None:
    from stack.view.detail import text
    from stack.view.text import lines

    for record, line in zip(trace, lines(trace, causes=True), strict=False):
        click.echo(f"{line.strip()}\n{text(record.packet)}\n")
