"""The command line: `packetstack demo`, `ping`, `show`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from stack.base.errors import StackError
from stack.capture.error import FilterError

if TYPE_CHECKING:
    from rich.console import Console

    from stack.capture.trace import Trace
    from stack.lab.host import Host
    from stack.lab.network import Network

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


@cli.command(short_help="A file over HTTP through a bad link; leaves a capture.")
@click.option("-o", "--output", default="demo.pcapng", show_default=True, type=click.Path(), help="Where the capture goes.")
@click.option("--size", default="1 MiB", show_default=True, help="How large the file is.")
@seeded
@link_options(rate="10 Mbit", delay="20 ms", loss="1%")
def demo(output: str, size: str, seed: int, **settings: str | None) -> None:
    """Fetch a file over HTTP through a bad link, between two emulated hosts.

    The server is http.server, the client urllib, both of the standard library and unmodified. Every packet the client
    sees goes to a capture file, whose name stands on the last line.
    """
    from stack.base.quantity import octets
    from stack.lab.network import Network

    began = perf_counter()
    with Network(seed) as net, TemporaryDirectory() as folder:
        client, server = net.host("client"), net.host("server")
        link = net.link(client, server, **given(settings))
        file = net.randomness.at("demo").bytes(octets(size))
        Path(folder, "file.bin").write_bytes(file)
        os.utime(Path(folder, "file.bin"), (0, 0))  # its time goes into a header of the answer
        with link.capture() as sent, link.capture(at="both") as seen, client.capture(output) as trace:
            server.start(_web, folder, name="web")
            body = _fetch(client, "http://server/file.bin", len(file))
        _report(net, sent, seen, len(trace), body == file, perf_counter() - began)
        click.echo(f"sha256        {sha256(body).hexdigest()}\ncapture       {output}")


def given(settings: dict[str, str | None]) -> dict[str, str]:
    """The settings of links that the user has given, or that have a default."""
    return {name: value for name, value in settings.items() if value is not None}


def _web(folder: str) -> None:
    """The server's program: what the standard library has, without its log and the name of this Python."""
    from functools import partial
    from http.server import HTTPServer, SimpleHTTPRequestHandler

    class Quiet(SimpleHTTPRequestHandler):
        sys_version = ""

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with HTTPServer(("", 80), partial(Quiet, directory=folder)) as server:
        server.serve_forever()


def _fetch(client: Host, address: str, size: int) -> bytes:
    """What is at an address, fetched by a program on the host `client`, with a bar that shows how far it is."""
    from urllib.request import Request, urlopen

    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    console = Console()
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True), TextColumn("{task.fields[clock]}")
    # No thread of its own, and the real clock: within `with client`, time is the host's.
    bar = Progress(*columns, console=console, auto_refresh=False, get_time=perf_counter, disable=not console.is_terminal)
    body = b""
    with bar:
        task = bar.add_task(f"GET {address}", total=size, clock="")
        request = Request(address, headers={"User-Agent": "Python-urllib"})
        with client, urlopen(request) as response:
            while part := response.read(1 << 14):
                body += part
                bar.update(task, completed=len(body), clock=f"{client.network.now / 1e9:.3f} s", refresh=True)
    return body


def _report(net: Network, sent: Trace, seen: Trace, packets: int, intact: bool, took: float) -> None:
    """The handshake, and what it all came to. `sent` has what entered the link, `seen` what each end saw."""
    from collections import Counter

    from stack.view.arrows import ladder

    hosts = ["client", "server"]
    handshake = seen.filter("arp || tcp.flags.syn == 1 || (tcp.seq == 1 && tcp.ack == 1)")
    click.echo(f"{ladder(handshake[:24], hosts=hosts, most=8)}\n")
    faults: Counter[str] = Counter()
    for link in net.links.values():
        for direction in link.directions:
            faults.update({reason.value: count for reason, count in direction.drops.items()})
            faults.update(direction.faults_done)
    # Where frames enter the link nothing has overtaken yet: what is out of order there was sent again.
    again = len(sent.filter("tcp.analysis.retransmission || tcp.analysis.out_of_order"))
    click.echo(f"the file      {'arrived intact' if intact else 'ARRIVED DAMAGED'}")
    click.echo(f"packets       {packets} at the client; {again} retransmissions")
    click.echo(f"faults        {', '.join(f'{count} {fault}' for fault, count in sorted(faults.items())) or 'none'}")
    click.echo(f"time          {net.now / 1e9:.3f} s virtual, {took:.3f} s real")


@cli.command(short_help="Echo requests across emulated routers.")
@click.option("-c", "--count", default=4, show_default=True, type=click.IntRange(1, 65535), help="How many requests.")
@click.option("--hops", default=2, show_default=True, type=click.IntRange(0, 60), help="Routers on the way.")
@click.option("-s", "--size", default=56, show_default=True, type=click.IntRange(0, 65507), help="Octets of data in each.")
@click.option("-t", "--ttl", type=click.IntRange(1, 255), help="Hop limit; a small one makes a router answer.")
@click.option("-6", "six", is_flag=True, help="IPv6.")
@click.option("--ladder", is_flag=True, help="The packets of the first link as a time-sequence diagram.")
@click.option("-o", "--output", type=click.Path(), help="A capture of the client's packets.")
@seeded
@link_options(rate="100 Mbit", delay="5 ms")
def ping(
    count: int, hops: int, size: int, ttl: int | None, six: bool, ladder: bool, output: str | None, seed: int,
    **settings: str | None,
) -> None:  # fmt: skip
    """Ping a host across emulated routers, in virtual time.

    \b
    packetstack ping --hops 3 --loss 10%
    packetstack ping --ttl 2 --ladder
    """
    from stack.lab.network import Network

    with Network(seed) as net:
        way = [net.host("client"), *(net.router(f"router{number}") for number in range(1, hops + 1)), net.host("server")]
        for here, there in pairwise(way):
            net.link(here, there, **given(settings))
        with way[0].capture(output) as trace:
            found = way[0].ping("server", count, size=size, hop_limit=ttl, version=6 if six else 4)
        click.echo(found)
        if ladder:
            click.echo(f"\n{trace.ladder(hosts=[host.name for host in way])}")
    if not found:
        sys.exit(1)  # as ping does


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
