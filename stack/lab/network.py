"""A network: hosts, routers, switches and links, one virtual clock, one seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from stack.base.errors import StackError
from stack.base.event import Drop, Event
from stack.base.quantity import nanoseconds
from stack.base.randomness import Randomness
from stack.lab.arguments import check_link, families, name_of, whole
from stack.lab.capturing import DRAIN, Capturing, capture_network
from stack.lab.host import Host
from stack.lab.link import Link
from stack.lab.probe import Probe
from stack.lab.switch import Switch
from stack.lab.tap import Tap, Tun
from stack.link.direction import Direction
from stack.link.interface import Interface
from stack.network.addressing import global_of
from stack.network.partition import Partition
from stack.network.programs import Programs
from stack.network.real_time import RealTime
from stack.network.scheduler import Scheduler
from stack.network.topology import Topology
from stack.network.wiring import Wiring
from stack.socket.loop import HostLoop
from stack.socket.names import Names
from stack.socket.switch import install

if TYPE_CHECKING:
    from stack.lab.replaying import Replay

Member = Host | Switch | Tap | str


class Network:
    """Everything that is emulated together. The same seed, and the same calls, give the same bytes and times.

    Addresses, routes and names follow from the wiring when the network is first used, and again when it grows. `wire`
    is "objects" or "bytes" (every link hands over bytes only; slower, nothing else differs); without it, the
    environment's STACK_WIRE says. `versions` are those of IP in which addresses are assigned: (6,) for IPv6 only.
    """

    #: What rooms to the right of this one do with a network, by name. `stack/__init__.py` fills it, for they are unknown here.
    extensions: ClassVar[dict[str, Callable[..., Any]]] = {}

    def __init__(self, seed: int = 0, *, wire: str | None = None, versions: Iterable[int] = (4, 6)) -> None:
        install()
        self.seed = whole("seed", seed, 0)
        self.randomness = Randomness(seed)
        self.scheduler = Scheduler()
        self.wiring = Wiring(self.scheduler, self.randomness, wire, Link)
        self.topology = Topology(self.wiring, families(versions))
        self.programs = Programs(self.scheduler, self.randomness, loops=lambda node: HostLoop(node, resident=True))
        self.names = Names()
        self.hosts: dict[str, Host] = {}
        self.switches: dict[str, Switch] = {}
        self.taps: dict[str, Tap] = {}
        self.links: dict[str, Link] = {}
        self.captures: list[Capturing] = []
        self._named: dict[tuple[str, object], None] = {}
        self.programs.prepare = self.update
        self.real_time = RealTime(self.scheduler)
        self.programs.resume = self.real_time.resume

    # Building

    def host(self, name: str | None = None, **settings: Any) -> Host:
        """A host. `settings` are those of `Host`: `address`, `mac`, `mtu`, `forwarding`, `tcp`, …"""
        return self._add_host(Host(self, self._name(name, "host"), **settings))

    def router(self, name: str | None = None, **settings: Any) -> Host:
        """A router: a host that forwards."""
        return self._add_host(Host(self, self._name(name, "router"), forwarding=True, **settings))

    def switch(self, name: str | None = None, **settings: Any) -> Switch:
        """A learning switch."""
        made = Switch(self, self._name(name, "switch"), **settings)
        self.switches[made.name] = made
        return made

    def tap(self, name: str = "tap0", **settings: Any) -> Tap:
        """An Ethernet interface of this machine's kernel, to be linked like a host. `settings` are those of `Tap`.

        Needs Linux and root. From here on the network runs in real time, and is never quiescent: `run` wants an `until`.
        """
        return self._add_tap(Tap(self, self._name(name, "tap"), **settings))

    def tun(self, name: str = "tun0", **settings: Any) -> Tap:
        """As `tap`, for an interface without a link layer."""
        return self._add_tap(Tun(self, self._name(name, "tun"), **settings))

    def _add_tap(self, tap: Tap) -> Tap:
        self.taps[tap.name] = tap
        return tap

    def link(self, a: Member, b: Member, *, name: str | None = None, **settings: Any) -> Link:
        """A full-duplex link between two members. `settings` are those of `Link`: rate, delay, loss, mtu, …"""
        ends = (self.member(a), self.member(b))
        if ends[0] is ends[1]:
            raise StackError(f"{ends[0].name} cannot be linked to itself: it has a loopback interface")
        for end in ends:
            if isinstance(end, Probe):
                raise StackError(f"{end.name} is a probe, which has a link of its own; expected a host or a switch")
            if isinstance(end, Tun) and any(isinstance(other, Switch) for other in ends):
                raise StackError(f"{end.name} has no link layer, and a switch has no other: link it to a host, or use a TAP")
        check_link(settings)
        return self.join(ends[0].new_interface(), ends[1].new_interface(), name=name, **settings)

    def join(self, a: Interface, b: Interface, *, name: str | None = None, **settings: Any) -> Link:
        """A link between two interfaces."""
        link = self.wiring.connect(a, b, name=name, **settings)
        assert isinstance(link, Link)
        link.network = self
        self.links[link.name] = link
        for capture in self.captures:
            capture.linked(link)
        return link

    def probe(self, host: Host | str, *, name: str | None = None, **settings: Any) -> Probe:
        """A raw peer on a new link to `host`, under your control: it sends what you say, and answers nothing but ARP and ND.

        `answers=False`: not even these. Other settings are those of `Link`.
        """
        target = self.member(host)
        if not isinstance(target, Host):
            raise StackError(f"{target.name} is a {type(target).__name__.lower()}; a probe faces a host")
        check_link({key: value for key, value in settings.items() if key != "answers"})
        return Probe(self, target, self._name(name, "probe"), **settings)

    def drill(self, host: Host | str, **settings: Any) -> Any:
        """Inject packets into `host` and expect what it sends, in packetdrill's words: a `stack.testing.drill.python.Drill`."""
        make = self.extensions.get("drill")
        if make is None:
            raise StackError("drills are stack.testing's, which is not loaded: import Network from stack")
        return make(self, self.member(host), **settings)

    def member(self, which: Member) -> Host | Switch | Tap:
        """The host, switch or TAP of this name."""
        if not isinstance(which, str):
            if not isinstance(which, Host | Switch | Tap | Probe):
                raise StackError(f"{which!r} is no member of a network; expected a host, a switch, or the name of one")
            if which.network is not self:
                raise StackError(f"{which.name} is in another network")
            return which
        found = self.hosts.get(which) or self.switches.get(which) or self.taps.get(which)
        if found is None:
            there = ", ".join([*self.hosts, *self.switches, *self.taps]) or "none yet"
            raise StackError(f"no host or switch {which!r} in this network; there are: {there}")
        return found

    def __getitem__(self, name: str) -> Host | Switch | Tap:
        return self.member(name)

    def _add_host(self, host: Host) -> Host:
        self.hosts[host.name] = host
        return host

    def _name(self, name: str | None, kind: str) -> str:
        """This name, if it is free; without one, the next of "host1", "host2" and on (the first probe is "probe")."""
        taken = {*self.hosts, *self.switches, *self.taps, *(end.owner for link in self.links.values() for end in link.ends)}
        if name is not None:
            return name_of(name, taken)
        number = 1
        while (free := kind if kind == "probe" and number == 1 else f"{kind}{number}") in taken:
            number += 1
        return free

    def update(self) -> None:
        """Give addresses, routes and names to what was added since. Running the network does it by itself."""
        self.topology.update()
        members: list[Host | Tap] = [*self.hosts.values(), *self.taps.values()]
        for host in members:
            for interface in host.interfaces:
                for address, _ in interface.addresses:
                    key = host.name, address
                    if key not in self._named and address in global_of(interface, type(address)):
                        self._named[key] = None
                        self.names.add(host.name, address)

    def reroute(self) -> None:
        """Compute routes anew over the links that are up: what a routing protocol does some time after a link goes down or up."""
        self.topology.update(again=True)
        self.update()

    # Running

    @property
    def now(self) -> int:
        """Virtual time in nanoseconds since the network was made."""
        return self.scheduler.now

    def run(self, until: str | float | None = None) -> None:
        """Run until nothing more would happen, or for `until` ("10 s") to that virtual instant."""
        self.update()
        self.programs.run(None if until is None else nanoseconds(until))

    def run_until(self, condition: Callable[[], object]) -> None:
        """Run until `condition()` is true; raises `Deadlock` if nothing is left before."""
        self.update()
        self.programs.run_until(condition)

    def step(self) -> bool:
        """Run one event; False when nothing is left."""
        self.update()
        return self.programs.step()

    def partition(self, *groups: Iterable[Member]) -> Partition:
        """Let no frame pass between the groups, until the end of a `with` block or `remove()`."""
        for group in groups:
            if isinstance(group, str | Host | Switch | Tap):
                raise StackError(f"{group!r} is not a group; expected lists: net.partition([a, b], [c])")
        return self.wiring.partition(*([self.member(one).name for one in group] for group in groups))

    def listen(self, listener: Callable[[Drop | Event], None]) -> None:
        """Be told of every drop and event of every component."""
        self.wiring.listeners.append(listener)

    # Captures

    def capture(
        self, path: str | Path | None = None, *, snaplen: int | None = None, drain: str | float | bool = DRAIN
    ) -> Capturing:
        """Capture every link, one capture interface each: a packet that crosses three links stands there three times."""
        return capture_network(self, path, snaplen=snaplen, drain=drain)

    def replay(self, path: str | Path, into: Host | Direction | str, **options: Any) -> Replay:
        """Send a capture's frames to a host, or into `link.toward(host)`, at their recorded times from now on.

        See `stack.lab.replaying.replay`.
        """
        from stack.lab.replaying import replay

        return replay(self, path, into, **options)

    # Ending

    def close(self) -> None:
        """End every program and connection; captures are finished. What would not end is named in a `StackError`."""
        try:
            self.programs.close()
        finally:
            for capture in list(self.captures):
                capture.close()
            for tap in self.taps.values():
                tap.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Network seed {self.seed}: {len(self.hosts)} hosts, {len(self.links)} links, at {self.now} ns>"
