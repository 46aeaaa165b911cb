"""Two hosts, streams both ways, and a path that does everything wrong: a run for each seed, and what must be true of its end.

`python -m tests.tcp.chaos 0 2000` runs the seeds 0 to 1999, and names each run that broke a promise:

- nothing raises, nothing waits for ever;
- what was read is what was written, from its beginning, in order; all of it, where neither end was told an error;
- an error is one that the path, or an abort, explains;
- some minutes after both programs have closed, no connection, port or timer is left.
"""

from __future__ import annotations

import errno
import random
import socket
import sys
import traceback
from typing import Any

from stack import Network, TcpSettings
from stack.lab.host import Host
from stack.link.faults import Delay, Drop

SECOND = 1_000_000_000
PORT = 4000
LIMIT = 12 * 3600 * SECOND  # of virtual time: all of Linux's retries, one after another, are over by then
CONTROLS = ("cubic", "reno", "reno-abc", "cubic-hystart++", "bbr", "dctcp")
TIME_WAIT, CLOSE = 6, 7  # TCP_INFO's numbers
BROKEN = {errno.ECONNRESET, errno.EPIPE, errno.ETIMEDOUT, errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENOTCONN, errno.ECONNABORTED}


class Story:
    """What the path and the programs do in the run of a seed."""

    def __init__(self, seed: int) -> None:
        rng = self.rng = random.Random(seed)
        self.seed = seed
        loss = rng.choice([0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5])
        self.path: dict[str, Any] = {
            "rate": rng.choice([None, "1 Mbit", "10 Mbit", "100 Mbit"]), "delay": rng.choice([0, "1 ms", "20 ms", "200 ms"]),
            "jitter": rng.choice([0, 0, "1 ms"]), "loss": loss, "duplication": rng.choice([0.0, 0.02, 0.2]),
            "reordering": rng.choice([0.0, 0.05, 0.3]), "reordering_gap": rng.choice([1, 3, 10]),
            "corruption": rng.choice([0.0, 0.01, 0.1]), "queue": rng.choice([None, 10, 100]),
        }  # fmt: skip
        self.path = {name: value for name, value in self.path.items() if value is not None}
        if self.path["delay"] == 0:
            self.path["jitter"] = 0
        self.outages = [(rng.uniform(0, 30), rng.choice([0.1, 1, 10, 100])) for _ in range(rng.choice([0, 0, 1, 3]))]
        self.spikes = [Delay(rng.randrange(1, 300), rng.choice(["50 ms", "1 s"])) for _ in range(rng.choice([0, 0, 3, 20]))]
        first, burst = rng.randrange(1, 200), rng.choice([0, 0, 5, 30])
        self.drops = [Drop(first + number) for number in range(burst)]
        self.spikes += [Delay(rng.randrange(1, 300), "20 s") for _ in range(rng.choice([0, 0, 0, 0, 1, 5]))]
        # Where a third of the round trips fail, an RTO once backed off may stay so for ever (Karn): slow, or given up.
        self.cruel = loss + self.path["corruption"] >= 0.2
        slow = any(spike.time == "20 s" for spike in self.spikes)
        self.harmless = not self.cruel and not slow and burst <= 5 and all(length < 10 for _, length in self.outages)
        self.settings = [self._settings() for _ in range(2)]
        self.programs = [self._program() for _ in range(2)]
        self.aborts = any(one["ending"] != "half-close" for one in self.programs)

    def _settings(self) -> TcpSettings:
        rng = self.rng
        base = rng.choice([TcpSettings.linux, TcpSettings.linux, TcpSettings.rfc])()
        return base.replace(
            timestamps=rng.random() < 0.6, sack=rng.random() < 0.7, window_scaling=rng.random() < 0.8, prediction=rng.random() < 0.8,
            rack=rng.random() < 0.8, loss_probe=rng.random() < 0.8, frto=rng.random() < 0.8, ecn=rng.choice([0, 1, 2, 3]),
            congestion=rng.choice(CONTROLS), mtu_probing=rng.choice([0, 0, 1, 2]), paced=rng.random() < 0.2,
            maximum_segment=rng.choice([None, None, 536, 100]),
        )  # fmt: skip

    def _program(self) -> dict[str, Any]:
        rng = self.rng
        return {
            "size": rng.choice([0, 1, 1000, 20_000] + [100_000, 300_000] * (not self.cruel)), "piece": rng.choice([1, 100, 1460, 10_000, 65_536]),
            "sndbuf": rng.choice([None, None, 2304, 20_000]), "rcvbuf": rng.choice([None, None, 2304, 8000]),
            "nodelay": rng.random() < 0.3, "write_pause": rng.choice([0, 0, 0.01, 1]), "read_pause": rng.choice([0, 0, 0, 0.05, 5, 60]),
            "take": rng.choice([1 << 20, 1 << 20, 4096, 100]),
            "ending": rng.choice(["half-close"] * 8 + ["orphan", "abort", "early"]),
            "at": rng.random(),
        }  # fmt: skip


class End:
    """One program: writes its stream a piece at a time, reads the peer's, ends as its story says."""

    def __init__(self, name: str, host: Host, story: Story, mine: dict[str, Any], theirs: dict[str, Any]) -> None:
        self.name, self.host, self.mine = name, host, mine
        size = min(mine["size"], mine["piece"] * 20_000 if not mine["write_pause"] else mine["piece"] * 100)
        self.words = random.Random(story.seed * 2 + (name == "a")).randbytes(size)
        self.sock: Any = None
        self.written = 0
        self.read = bytearray()
        self.error: int | None = None
        self.connected = self.eof = self.shut = self.done = self.aborted = False
        self.write_at = self.read_at = self.pauses = 0
        self.stop = round(size * mine["at"]) if mine["ending"] in ("abort", "early") else None

    def given(self, sock: Any) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.options(sock)

    def options(self, sock: Any) -> None:
        for option, value in ((socket.SO_SNDBUF, self.mine["sndbuf"]), (socket.SO_RCVBUF, self.mine["rcvbuf"])):
            if value is not None:
                sock.setsockopt(socket.SOL_SOCKET, option, value)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # whoever only reads learns that the other is gone
        if self.mine["nodelay"]:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def failed(self, error: OSError) -> None:
        assert error.errno in BROKEN, f"{self.name}: {error!r}"
        self.error = self.error or error.errno
        self.close()

    def close(self) -> None:
        self.done = True
        self.sock.close()

    def turn(self, now: int) -> int | None:
        """Do what can be done at `now`; when to be called again though nothing happens."""
        if self.sock is None or self.done:
            return None
        try:
            if not self.connected:
                self.connected = self._connected()
                return None if not self.connected else now
            again = [at for at in (self._write(now), self._read(now)) if at is not None]
        except BlockingIOError:
            return None
        except OSError as error:
            self.failed(error)
            return None
        if not self.done and self.eof and self.shut and (self.mine["ending"] == "orphan" or self._state() in (TIME_WAIT, CLOSE)):
            self.close()
        return min(again, default=None)

    def _connected(self) -> bool:
        error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "connect")
        try:
            self.sock.getpeername()
        except OSError:
            return False
        return True

    def _state(self) -> int:
        state: int = self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        return state

    def _write(self, now: int) -> int | None:
        while not self.shut and not self.done:
            if now < self.write_at:
                return self.write_at
            if self.stop is not None and self.written >= self.stop:
                self._end_early()
                return None
            try:
                if self.written < len(self.words):
                    self.written += self.sock.send(self.words[self.written : self.written + self.mine["piece"]])
                else:
                    self.sock.shutdown(socket.SHUT_WR)
                    self.shut = True
            except BlockingIOError:
                return None
            if self.mine["write_pause"]:
                self.write_at = now + round(self.mine["write_pause"] * SECOND)
        return None

    def _end_early(self) -> None:
        self.aborted = True
        if self.mine["ending"] == "abort":  # else it just closes: unread octets make a reset
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def _read(self, now: int) -> int | None:
        while not self.eof and not self.done:
            if now < self.read_at:
                return self.read_at
            try:
                data = self.sock.recv(self.mine["take"])
            except BlockingIOError:
                return None
            self.eof = not data
            self.read += data
            self.pauses += 1
            if self.mine["read_pause"] and self.pauses < 30:
                self.read_at = now + round(self.mine["read_pause"] * SECOND)
        return None


class Run:
    """The run of a seed."""

    def __init__(self, seed: int) -> None:
        self.story = story = Story(seed)
        self.version = story.rng.choice([4, 6])
        self.net = net = Network(seed, versions=[self.version])
        hosts = [net.host(name, tcp=settings) for name, settings in zip("ab", story.settings, strict=True)]
        self.link = net.link(*hosts, **story.path)
        self.link.faults([*story.spikes, *story.drops])
        one, other = story.programs
        self.a, self.b = End("a", hosts[0], story, one, other), End("b", hosts[1], story, other, one)
        self.ends = (self.a, self.b)
        self.steps = 0

    def open(self) -> None:
        family = socket.AF_INET if self.version == 4 else socket.AF_INET6
        with self.b.host:
            self.listener = socket.socket(family)
            self.b.options(self.listener)
            self.listener.setblocking(False)
            self.listener.bind(("", PORT))
            self.listener.listen(1)
        with self.a.host:
            sock = socket.socket(family)
            self.a.given(sock)
            address = self.b.host.address if family == socket.AF_INET else self.b.host.address6
            sock.connect_ex((str(address), PORT))
        clock = self.net.scheduler.call_at
        for at, length in self.story.outages:
            clock(round(at * SECOND), self.link.down)
            clock(round((at + length) * SECOND), self.link.up)

    def run(self) -> None:
        net = self.net
        self.open()
        asked: set[int] = set()
        while not (self.a.done and self.b.done):
            if self.b.sock is None:
                try:
                    self.b.given(self.listener.accept()[0])
                except BlockingIOError:
                    if self.a.done:  # never connected, as far as the server can tell
                        break
            for end in self.ends:
                again = end.turn(net.scheduler.now)
                if again is not None and again not in asked:
                    asked.add(again)
                    net.scheduler.call_at(again, int)
            self.steps += 1
            assert net.scheduler.now < LIMIT, "it never ends"
            assert net.step() or self.idle(), "nothing left to happen, and the programs wait"
        self.listener.close()
        net.run(until=net.scheduler.now / SECOND + 3600)

    def idle(self) -> bool:
        """Both have got on meanwhile."""
        return self.a.done and (self.b.done or self.b.sock is None)

    def check(self) -> None:
        """What must be true at the end."""
        story = self.story
        for end, other in ((self.a, self.b), (self.b, self.a)):
            assert other.words.startswith(end.read), f"{end.name} read something else than was written"
            if not story.aborts and self.a.error is None and self.b.error is None:
                assert end.read == other.words, f"{end.name} read {len(end.read)} of {len(other.words)} octets"
                assert end.eof
            if not story.aborts and story.harmless and not (end.error == errno.EHOSTUNREACH and not end.connected):  # 3 ARPs lost
                assert end.error is None, f"{end.name} was told {errno.errorcode[end.error]}"
            layer = end.host.engine.tcp
            assert not layer.connections, f"{end.name} still has {list(layer.connections.values())}"
            assert not layer.listeners
            assert not end.host.node.descriptors
        assert not self.net.scheduler.busy(), "a timer is left"


    def shown(self) -> str:
        """The run in a few lines."""
        story = self.story
        lines = [f"seed {story.seed}: {story.path}, outages {story.outages}, {len(story.spikes)} spikes, drops {story.drops[:1]}"]
        for end in self.ends:
            told = errno.errorcode[end.error] if end.error else "no error"
            lines.append(
                f"  {end.name}: {end.mine}; wrote {end.written} of {len(end.words)}, read {len(end.read)}, {told}, "
                f"eof {end.eof}, shut {end.shut}, done {end.done}, aborted {end.aborted}"
            )
            lines += [f"     {each!r}" for each in end.host.engine.tcp.connections.values()]
        lines.append(f"  at {self.net.scheduler.now / SECOND:.3f} s after {self.steps} steps")
        return "\n".join(lines)


def main(first: int, last: int) -> int:
    bad = 0
    for seed in range(first, last):
        run = Run(seed)
        try:
            run.run()
            run.check()
        except Exception as error:
            bad += 1
            print(f"{type(error).__name__}: {error}\n{run.shown()}", flush=True)
            if not isinstance(error, AssertionError):
                traceback.print_exc()
        finally:
            run.net.close()
    print(f"{last - first} runs, {bad} bad")
    return bad


if __name__ == "__main__":
    sys.exit(bool(main(int(sys.argv[1]), int(sys.argv[2]))))
