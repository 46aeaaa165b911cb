"""Programs that everybody knows as peers: curl and nginx over HTTP, iperf3 with its own protocol."""

import hashlib
import json
import shutil
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from stack import Host, Network, TcpInfo
from stack.lab.tap import Tap
from stack.testing.namespace import Namespace
from tests.tap.peer import pattern

BLOCK = 131_072  # iperf3's own; it reads whole ones
SIZE = 76 * BLOCK
CONTENT = b"".join(pattern(SIZE, seed=7))


def needs(command: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(command) is None, reason=f"no {command}")


@pytest.fixture
def members(net: Network, linux: Namespace) -> tuple[Host, Tap]:
    """A host of ours and the kernel, over a link that loses now and then."""
    host, tap = net.host("a"), net.tap("tap0", namespace=linux.name)
    net.link(host, tap, delay="1 ms", loss="0.1%", queue=None)
    net.update()
    return host, tap


@needs("curl")
@pytest.mark.parametrize("version", [4, 6])
def test_curl_gets_and_posts(net: Network, linux: Namespace, members: tuple[Host, Tap], tmp_path: Path, version: int) -> None:
    host, _ = members
    posted: list[str] = []

    @host.program
    def web() -> None:
        import socketserver
        from http.server import BaseHTTPRequestHandler

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(SIZE))
                self.end_headers()
                self.wfile.write(CONTENT)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                posted.append(hashlib.sha256(body).hexdigest())
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        class Server(socketserver.TCPServer):
            address_family = socket.AF_INET6

        with Server(("::", 80), Handler) as server:
            server.serve_forever()

    there = f"[{host.addresses[1]}]" if version == 6 else str(host.address)
    body = tmp_path / "body"
    body.write_bytes(CONTENT)
    command = ("curl", "--silent", "--show-error", "--fail", "--max-time", "60")
    get = linux.start(*command, "--output", str(tmp_path / "got"), f"http://{there}/")
    net.run_until(lambda: get.poll() is not None)
    assert get.returncode == 0
    assert (tmp_path / "got").read_bytes() == CONTENT
    post = linux.start(*command, "--data-binary", f"@{body}", f"http://{there}/")
    net.run_until(lambda: post.poll() is not None)
    assert post.returncode == 0
    assert posted == [hashlib.sha256(CONTENT).hexdigest()]


@needs("nginx")
def test_nginx_serves_us(net: Network, linux: Namespace, members: tuple[Host, Tap], tmp_path: Path) -> None:
    host, tap = members
    (tmp_path / "file").write_bytes(CONTENT)
    tmp_path.chmod(0o755)
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(
        f"user root; daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/error;\n"
        "events {}\n"
        f"http {{ access_log off; client_body_temp_path {tmp_path}/t1; proxy_temp_path {tmp_path}/t2; fastcgi_temp_path {tmp_path}/t3;\n"
        f"  uwsgi_temp_path {tmp_path}/t4; scgi_temp_path {tmp_path}/t5;\n"
        f"  server {{ listen 80; root {tmp_path}; }} }}\n"
    )
    linux.start("nginx", "-e", f"{tmp_path}/error", "-c", str(configuration))
    with host:
        for _ in range(50):
            try:
                socket.create_connection((str(tap.address), 80)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.1)
        for _ in range(2):
            assert urlopen(f"http://{tap.address}/file", timeout=60).read() == CONTENT


PARAMETERS, CREATE_STREAMS, START, RUNNING, END, RESULTS, DISPLAY, DONE = 9, 10, 1, 2, 4, 13, 14, 16


class Iperf3:
    """As much of an iperf3 client as a test of one stream takes (iperf3's src/iperf_api.h)."""

    def __init__(self, address: str, *, reverse: bool) -> None:
        self.address = address
        self.cookie = b"packetstack-packetstack-packetstack-1"[:36] + b"\0"
        self.control = self._connect()
        self.expect(PARAMETERS)
        wanted = {"tcp": True, "omit": 0, "time": 10, "parallel": 1, "len": BLOCK, "client_version": "3.12"}
        self.put(wanted | {"reverse": True} if reverse else wanted)  # that it is there is what counts
        self.expect(CREATE_STREAMS)
        self.stream = self._connect()
        self.expect(START)
        self.expect(RUNNING)

    def _connect(self) -> socket.socket:
        connection = socket.create_connection((self.address, 5201), timeout=20)
        connection.sendall(self.cookie)
        return connection

    def expect(self, state: int) -> None:
        assert self.control.recv(1) == bytes([state])

    def put(self, what: dict[str, Any]) -> None:
        text = json.dumps(what).encode()
        self.control.sendall(struct.pack(">I", len(text)) + text)

    def get(self) -> dict[str, Any]:
        (length,) = struct.unpack(">I", self.control.recv(4, socket.MSG_WAITALL))
        return dict(json.loads(self.control.recv(length, socket.MSG_WAITALL)))

    def finish(self, count: int) -> dict[str, Any]:
        """Exchange results; those of the server's one stream."""
        self.control.sendall(bytes([END]))
        self.expect(RESULTS)
        stream = {"id": 1, "bytes": count, "retransmits": -1, "jitter": 0, "errors": 0, "packets": 0, "start_time": 0, "end_time": 1}
        self.put({"cpu_util_total": 0, "cpu_util_user": 0, "cpu_util_system": 0, "sender_has_retransmits": -1, "streams": [stream]})
        found: dict[str, Any] = self.get()["streams"][0]
        self.expect(DISPLAY)
        self.control.sendall(bytes([DONE]))
        self.control.close()
        return found


def waits(connection: socket.socket) -> bool:
    """Whether something is not acknowledged yet."""
    info = TcpInfo.parse(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 280))
    return info.unacked > 0 or info.notsent_bytes > 0


@needs("iperf3")
@pytest.mark.parametrize("reverse", [False, True], ids=["we-send", "it-sends"])
def test_iperf3(net: Network, linux: Namespace, members: tuple[Host, Tap], reverse: bool) -> None:
    host, tap = members
    server = linux.start("iperf3", "--server", "--one-off", "--forceflush", stdout=subprocess.PIPE)
    assert server.stdout is not None
    while b"listening" not in server.stdout.readline():
        pass

    def measure() -> tuple[int, dict[str, Any]]:
        client, count = Iperf3(str(tap.address), reverse=reverse), 0
        if reverse:
            while count < SIZE:
                count += len(client.stream.recv(1 << 20))
            rest = threading.Thread(target=lambda: list(iter(lambda: client.stream.recv(1 << 20), b"")))  # it sends whole blocks
            rest.start()
        else:
            client.stream.sendall(CONTENT)
            count = SIZE
            while waits(client.stream):
                time.sleep(0.01)
        found = client.finish(count)
        if reverse:
            rest.join()
        client.stream.close()
        return count, found

    count, found = host.start(measure).result()
    assert count >= SIZE
    assert found["bytes"] >= SIZE * 8 // 10  # what it has taken when it hears of the end, on another connection


