"""`packetstack ping`: echo requests across emulated routers."""

from __future__ import annotations

import sys
from itertools import pairwise

import click

from stack.cli.command import cli, given, link_options, seeded


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
