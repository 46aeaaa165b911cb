"""A host: where programs run, sockets are opened, and packets are captured."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

from stack.base.address import MAC, IPAddress, IPv4Address, IPv6Address, ip_address
from stack.base.errors import StackError
from stack.base.event import DropReason
from stack.host.host import HostEngine
from stack.host.settings import HostSettings
from stack.lab.capturing import Capturing, capture_host
from stack.link.interface import ETHERNET_MTU, Interface
from stack.network.addressing import global_of
from stack.network.place import enter, leave
from stack.network.program import Program
from stack.tcp.settings import TcpSettings

if TYPE_CHECKING:
    from stack.lab.network import Network
    from stack.lab.ping import Ping
    from stack.lab.traceroute import Traceroute


class Host:
    """A host, or with `forwarding` a router. Made by `Network.host` and `Network.router`.

    `address`: one or more addresses with their prefix lengths ("192.168.1.5/24"), for its interfaces in the order of
    its links, in place of automatic ones. `mac`: likewise. `tcp`: its `TcpSettings`. Others: those of `HostSettings`.

    `with host:` runs the block's code on the host: sockets, names, clocks and randomness are the host's there.
    """

    def __init__(
        self,
        network: Network,
        name: str,
        *,
        address: str | Iterable[str] = (),
        mac: str | Iterable[str] = (),
        mtu: int = ETHERNET_MTU,
        tcp: TcpSettings | None = None,
        **settings: Any,
    ) -> None:
        self.network = network
        self.name = name
        self._addresses = [address] if isinstance(address, str) else list(address)
        self._macs = [mac] if isinstance(mac, str) else list(mac)
        self._mtu = mtu
        self.engine = HostEngine(name, network.randomness, HostSettings(**settings))
        if tcp is not None:
            self.engine.tcp.settings = tcp
        self.node = network.wiring.add(self.engine)
        self.node.names = network.names

    # Interfaces and addresses

    def new_interface(self) -> Interface:
        """One more interface, "eth0" and on; a link takes it."""
        number = len(self.interfaces)
        mac = MAC(self._macs[number]) if number < len(self._macs) else self.network.topology.mac()
        interface = Interface(f"eth{number}", mac, self._mtu, owner=self.name)
        self.engine.add_interface(interface)
        self.node.attach(interface)
        if number < len(self._addresses):
            for one in self._addresses[number].split():
                self.add_address(one, interface)
        return interface

    def add_address(self, address: str, interface: Interface | str | None = None) -> None:
        """Give an interface (the first, if none is named) an address with its prefix length: "192.168.1.5/24"."""
        text, _, length = address.partition("/")
        value = ip_address(text)
        bits = 8 * len(value)
        if length and not (length.isdigit() and int(length) <= bits):
            raise StackError(f"{address!r}: the prefix length is {length!r}; expected 0 to {bits}")
        self.engine.add_address(self.interface(interface), value, int(length) if length else (24 if bits == 32 else 64))
        self.network.topology.outdated()

    def add_route(self, prefix: str, gateway: str | None = None, interface: Interface | str | None = None) -> None:
        """A static route: "192.168.0.0/16" or "default", through a gateway or straight out of an interface."""
        self.network.update()
        self.engine.add_route(prefix, gateway, None if interface is None else self.interface(interface))

    @property
    def interfaces(self) -> list[Interface]:
        """Its interfaces in the order of its links, without loopback."""
        return [one for one in self.engine.interfaces if not one.loopback]

    def interface(self, which: Interface | str | None = None) -> Interface:
        """The interface of this name ("eth0"); the first, without one."""
        for one in self.interfaces:
            if which is None or which is one or which == one.name:
                return one
        raise StackError(f"{self.name} has no interface {which or 'yet: link it to something'}")

    @property
    def addresses(self) -> list[IPAddress]:
        """Its addresses, IPv4 first, without loopback and link-local ones."""
        self.network.update()
        kinds: tuple[type[IPAddress], ...] = (IPv4Address, IPv6Address)
        return [one for kind in kinds for interface in self.interfaces for one in global_of(interface, kind)]

    @property
    def address(self) -> IPv4Address:
        """Its first IPv4 address."""
        for one in self.addresses:
            if isinstance(one, IPv4Address):
                return one
        raise StackError(f"{self.name} has no IPv4 address yet: link it to something, or add one")

    @property
    def address6(self) -> IPv6Address:
        """Its first IPv6 address that is not link-local."""
        for one in self.addresses:
            if isinstance(one, IPv6Address):
                return one
        raise StackError(f"{self.name} has no IPv6 address yet: link it to something, or add one")

    @property
    def mac(self) -> MAC:
        """The MAC address of its first interface."""
        return self.interface().mac

    # Running code on it

    def __enter__(self) -> Self:
        self.network.update()
        enter(self.node)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: object) -> None:
        leave(self.node, kind)

    @overload
    def program(self, function: Callable[..., Any], /) -> Program: ...
    @overload
    def program(self, *, name: str) -> Callable[[Callable[..., Any]], Program]: ...
    def program(self, function: Callable[..., Any] | None = None, *, name: str | None = None) -> Any:
        """Decorator: run this function on the host, from when the network runs next. The name becomes a `Program`."""
        if function is None:
            return lambda later: self.start(later, name=name)
        return self.start(function, name=name)

    def start(self, function: Callable[..., Any], *arguments: Any, name: str | None = None) -> Program:
        """Run `function(*arguments)` on the host: a coroutine function on its asyncio loop, others in a thread of their own."""
        is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
        start = self.network.programs.start_async if is_async else self.network.programs.start
        return start(self.node, function, *arguments, name=name)

    # Looking at it

    def capture(self, path: str | Path | None = None, **options: Any) -> Capturing:
        """Capture what `tcpdump` on this host would see: every frame of its interfaces, once; see `Capturing`."""
        return capture_host(self, path, **options)

    def ping(self, target: Host | str, count: int = 4, **options: Any) -> Ping:
        """Send echo requests, and run the network until they are answered or lost. See `stack.lab.ping`."""
        from stack.lab.ping import ping

        return ping(self, target, count, **options)

    def traceroute(self, target: Host | str, **options: Any) -> Traceroute:
        """Find the routers on the way to a target. See `stack.lab.traceroute`."""
        from stack.lab.traceroute import traceroute

        return traceroute(self, target, **options)

    def resolve(self, target: Host | str, version: int | None = None) -> IPAddress:
        """The address of a host, a name or a literal address: IPv4 first, unless `version` says 6."""
        self.network.update()
        kinds: dict[int | None, tuple[type[IPAddress], ...]] = {4: (IPv4Address,), 6: (IPv6Address,)}
        wanted = kinds.get(version, (IPv4Address, IPv6Address))
        name = target.name if isinstance(target, Host) else target
        known = self.network.names.addresses(name)
        for one in [ip_address(name)] if known is None else known:
            if isinstance(one, wanted):
                return one
        raise StackError(f"{name} has no IPv{version} address")

    def netstat(self) -> Any:
        """Its sockets, as `netstat -an` would list them."""
        return self.engine.netstat()

    @property
    def drops(self) -> dict[DropReason, int]:
        """How many packets ended here, by reason."""
        return dict(self.engine.drops)

    def __repr__(self) -> str:
        kind = "Router" if self.engine.settings.forwarding else "Host"
        return f"<{kind} {self.name}: {', '.join(map(str, self.addresses)) or 'not linked'}>"
