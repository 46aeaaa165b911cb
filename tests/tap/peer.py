"""The programs on Linux's side: run in a namespace, by the library alone. Each prints JSON: its port, once it listens; what it found.

    python peer.py exchange '{"port": 5001, …}'
"""

import hashlib
import json
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

_CONTROL = getattr(socket, "TCP_CONGESTION", 13)
_BLOCK = 1 << 16


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def pattern(size: int, seed: int) -> Iterator[bytes]:
    """`size` octets that differ from place to place."""
    block = bytes((seed + place * place // 7 + place) & 0xFF for place in range(_BLOCK + 251))
    at = 0
    while at < size:
        start = (at // _BLOCK) % 251
        piece = block[start : start + min(_BLOCK, size - at)]
        yield piece
        at += len(piece)


def digest(size: int, seed: int) -> str:
    found = hashlib.sha256()
    for piece in pattern(size, seed):
        found.update(piece)
    return found.hexdigest()


def options(connection: socket.socket, given: dict[str, Any]) -> None:
    if "congestion" in given:
        connection.setsockopt(socket.IPPROTO_TCP, _CONTROL, given["congestion"].encode())
    if "receive_buffer" in given:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, given["receive_buffer"])


def connected(given: dict[str, Any]) -> socket.socket:
    """A connection to `connect` [address, port], or accepted on `port`."""
    if "connect" in given:
        host, port = given["connect"]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        options(connection, given)
        connection.connect((host, port))
        return connection
    listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    with listener:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        options(listener, given)
        if "fast_open" in given:
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
        listener.bind(("::", given.get("port", 0)))
        listener.listen()
        say(port=listener.getsockname()[1])
        connection, _ = listener.accept()
    options(connection, given)
    return connection


def info(connection: socket.socket) -> dict[str, int]:
    """Of TCP_INFO, what is compared."""
    octets = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256).ljust(256, b"\0")
    first = struct.unpack_from("=8B24I", octets)
    return {
        "state": first[0], "options": first[5], "send_scale": first[6] & 15, "receive_scale": first[6] >> 4,
        "rto": first[8], "mss": first[10], "retransmitted": first[31],
    }  # fmt: skip


def read_all(connection: socket.socket) -> tuple[int, str]:
    found, count = hashlib.sha256(), 0
    while data := connection.recv(1 << 20):
        found.update(data)
        count += len(data)
    return count, found.hexdigest()


def exchange(given: dict[str, Any]) -> None:
    """Send `send` octets, and take all that comes, at the same time."""
    with connected(given) as connection:

        def push() -> None:
            for piece in pattern(given.get("send", 0), given.get("seed", 1)):
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=push)
        sender.start()
        count, found = read_all(connection)
        sender.join()
        say(count=count, digest=found, **info(connection))


def dawdle(given: dict[str, Any]) -> None:
    """Read nothing for `wait` seconds, then all."""
    with connected(given) as connection:
        time.sleep(given["wait"])
        count, found = read_all(connection)
        say(count=count, digest=found)


def reply_at_end(given: dict[str, Any]) -> None:
    """Take all; after the end, send how much it was."""
    with connected(given) as connection:
        count, _ = read_all(connection)
        connection.sendall(b"%d octets" % count)


def ask_and_end(given: dict[str, Any]) -> None:
    """Send, end that way, and take the reply."""
    with connected(given) as connection:
        connection.sendall(bytes(given["send"]))
        connection.shutdown(socket.SHUT_WR)
        say(reply=connection.makefile("rb").read().decode())


def send_with_syn(given: dict[str, Any]) -> None:
    """As `ask_and_end`, by fast open."""
    with socket.socket() as connection:
        connection.sendto(b"hello", socket.MSG_FASTOPEN, tuple(given["connect"]))
        connection.shutdown(socket.SHUT_WR)
        say(reply=connection.makefile("rb").read().decode())


def reset(given: dict[str, Any]) -> None:
    """Take one octet, and abort the connection."""
    connection = connected(given)
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def last_error(given: dict[str, Any]) -> None:
    """Send an octet, read on, and say which error ends that."""
    try:
        with connected(given) as connection:
            connection.sendall(b"x")
            connection.recv(1)
            say(error=None)
    except OSError as error:
        say(error=error.errno)


def urgent(given: dict[str, Any]) -> None:
    """Send "ab", "c" urgently, "d"; and take the same from the other side."""
    with connected(given) as connection:
        connection.sendall(b"ab")
        connection.send(b"c", socket.MSG_OOB)
        connection.sendall(b"d")
        select.select([], [], [connection], 5)
        out_of_band = connection.recv(1, socket.MSG_OOB)
        ordinary = b""
        while len(ordinary) < 3:
            ordinary += connection.recv(3)
        say(ordinary=ordinary.decode(), urgent=out_of_band.decode())


def script(given: dict[str, Any], tell: Any = None) -> None:
    """Do the `steps`, one after the other; what they find is told, an `OSError` ends them."""
    tell = tell or (lambda what: say(**what))
    listener = connection = None
    try:
        if "connect" not in given:
            listener = socket.create_server(("", given["port"]), backlog=given.get("backlog", 5))
            tell({"port": given["port"]})
            for step in given["steps"]:
                if step[0] == "listener":
                    listener.setsockopt(*step[1:])
            connection, _ = listener.accept()
        else:
            connection = socket.socket()
        for name, *arguments in given["steps"]:
            if name == "connect":
                connection.connect(tuple(given["connect"]))
            elif name != "listener":
                found = _step(connection, name, *arguments)
                if found is not None:
                    tell({name: found})
    except OSError as error:
        tell({"error": error.errno})
    finally:
        for each in (connection, listener):
            if each is not None:
                each.close()


def _step(connection: socket.socket, name: str, *arguments: Any) -> Any:
    """One step: `send` octets, `receive` so many, `all` to the end, …"""
    if name == "sleep":
        time.sleep(arguments[0])
    elif name == "send":
        connection.sendall(bytes(arguments[0]))
    elif name == "urgent":
        connection.send(b"!", socket.MSG_OOB)
    elif name == "receive":
        left = arguments[0]
        while left and (data := connection.recv(left)):
            left -= len(data)
        return arguments[0] - left
    elif name == "all":
        return read_all(connection)[0]
    elif name == "option":
        connection.setsockopt(*arguments)
    elif name == "congestion":
        try:
            connection.setsockopt(socket.IPPROTO_TCP, _CONTROL, arguments[0].encode())
        except FileNotFoundError:
            return "unknown"
    elif name == "abort":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    elif name == "shutdown":
        connection.shutdown(arguments[0] if arguments else socket.SHUT_WR)
    elif name == "close":
        connection.close()
    elif name == "info":
        return info(connection)
    else:
        raise ValueError(name)
    return None


if __name__ == "__main__":
    globals()[sys.argv[1]](json.loads(sys.argv[2]) if len(sys.argv) > 2 else {})
