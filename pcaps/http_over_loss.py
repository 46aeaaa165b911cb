"""A page over a link that loses every twentieth frame: fast retransmissions, selective acknowledgments, time-outs.

Captured where frames enter the link, so those that are lost are here too, each with a comment that says so.
"""

from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

from stack import Network

SAMPLE = Path(__file__).with_suffix(".pcapng")

PAGE = b"".join(b"%05d The quick brown fox jumps over the lazy dog.\n" % line for line in range(1200))


class Handler(BaseHTTPRequestHandler):
    """What programs would say of themselves is pinned: the sample is the same under every Python."""

    server_version, sys_version = "sample/1.0", ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def make(path: Path) -> None:
    with Network(seed=13) as net:
        client, server = net.host("client"), net.host("server")
        link = net.link(client, server, rate="10 Mbit", delay="20 ms", loss="5%")

        @server.program
        def web() -> None:
            with HTTPServer(("", 80), Handler) as service:
                service.serve_forever()

        with link.capture(path), client:
            page = urlopen(Request("http://server/fox.txt", headers={"User-Agent": "sample/1.0"})).read()
        assert page == PAGE


if __name__ == "__main__":
    make(SAMPLE)
