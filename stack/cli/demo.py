"""`packetstack demo`: a file over HTTP through a bad link."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

import click

from stack.cli.command import cli, given, link_options, seeded

if TYPE_CHECKING:
    from stack.lab.host import Host
    from stack.lab.network import Network
    from stack.lab.trace import Trace


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
