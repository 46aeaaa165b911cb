"""`packetstack show`: the packets of a capture file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from stack.cli.command import cli, fail

if TYPE_CHECKING:
    from rich.console import Console

    from stack.capture.trace import Trace


@cli.command(short_help="The packets of a capture file.")
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
