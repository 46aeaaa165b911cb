"""A host: where programs run, sockets are opened, and packets are captured."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

from stack.base.address import MAC, IPAddress, IPv4Address, IPv6Address, ip_address
from stack.base.errors import AddressError, StackError
from stack.base.event import DropReason
from stack.host.counters import HostCounters
from stack.host.host import HostEngine
from stack.host.netstat import Netstat
from stack.lab.arguments import (
    LEAST_MTU,
    MOST_MTU,
    address_with_prefix,
    host_settings,
    is_of_version,
    version_of,
    whole,
)
from stack.lab.capturing import DRAIN, Capturing, capture_host
from stack.link.interface import ETHERNET_MTU, Interface
from stack.network.addressing import Subnet, global_of
from stack.network.place import enter, leave, leaving
from stack.network.program import Program
from stack.tcp.settings import TcpSettings

if TYPE_CHECKING:
    from stack.lab.network import Network
    from stack.lab.ping import Ping
    from stack.lab.traceroute import Traceroute


class Host:
    """A host, or with `forwarding` a router. Made by `Network.host` and `Network.router`.

    `address`: one or more addresses with their prefix lengths ("192.168.1.5/24"), for its interfaces in the order of
    its links, in place of automatic ones ("192.168.1.5/24 2001:db8::5/64": both are the first interface's). `mac`: likewise.
    `tcp`: its `TcpSettings`. Others: those of `HostSettings`.

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
        self._addresses = [
            [address_with_prefix(one) for one in texts.split()] for texts in ([address] if isinstance(address, str) else address)
        ]
        self._macs = [MAC(one) for one in ([mac] if isinstance(mac, str) else mac)]
        self._mtu = whole("mtu", mtu, LEAST_MTU, MOST_MTU)
        self.engine = HostEngine(name, network.randomness, host_settings(settings))
        if tcp is not None:
            self.engine.tcp.settings = tcp
        self.node = network.wiring.add(self.engine)
        self.node.names = network.names

    # Interfaces and addresses

    def new_interface(self) -> Interface:
        """One more interface, "eth0" and on; a link takes it."""
        number = len(self.interfaces)
        mac = self._macs[number] if number < len(self._macs) else self.network.topology.mac()
        interface = Interface(f"eth{number}", mac, self._mtu, owner=self.name)
        self.engine.add_interface(interface)
        self.node.attach(interface)
        if number < len(self._addresses):
            for one, length in self._addresses[number]:
                self.engine.add_address(interface, one, length)
        return interface

    def add_address(self, address: str | IPAddress, interface: Interface | str | None = None) -> None:
        """Give an interface (the first, if none is named) an address with its prefix length: "192.168.1.5/24".

        Without a prefix length it is 24, or 64 in IPv6.
        """
        self.engine.add_address(self.interface(interface), *address_with_prefix(str(address)))
        self.network.topology.outdated()

    def add_route(
        self, prefix: str, gateway: Host | str | IPAddress | None = None, interface: Interface | str | None = None
    ) -> None:
        """A static route: "192.168.0.0/16" or "default", through a gateway or straight out of an interface.

        The gateway is an address, or a host or the name of one that is a neighbour: of its addresses, the one on our link.
        """
        self.network.update()
        out = None if interface is None else self.interface(interface)
        version = 6 if ":" in prefix else 4
        via = None if gateway is None else self._neighbour(gateway, version)
        self.engine.add_route(prefix, via if via is None else str(via), out)

    def _neighbour(self, which: Host | str | IPAddress, version: int) -> IPAddress:
        """The first of a host's addresses that is in a subnet of ours; or else its first one."""
        subnets = [Subnet.of(*one) for interface in self.interfaces for one in interface.addresses]
        known = [one for one in self._known(which) if is_of_version(one, version)]
        near = [one for one in known if any(one in subnet for subnet in subnets)]
        return next(iter(near + known), None) or self.resolve(which, version)

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
        enter(self.node, self)
        return self

    @leaving
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
        if not callable(function):
            if inspect.iscoroutine(function):
                function.close()  # nobody will await it
                raise TypeError(f"{function!r} has been called already; pass the function, and its arguments after it")
            raise TypeError(f"{function!r} is not a function to run")
        is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)
        start = self.network.programs.start_async if is_async else self.network.programs.start
        return start(self.node, function, *arguments, name=name)

    # Looking at it

    def capture(
        self, path: str | Path | None = None, *, snaplen: int | None = None, drain: str | float | bool = DRAIN
    ) -> Capturing:
        """Capture what `tcpdump` on this host would see: every frame of its interfaces, once; see `Capturing`."""
        return capture_host(self, path, snaplen=snaplen, drain=drain)

    def ping(self, target: Host | str | IPAddress, count: int = 4, **options: Any) -> Ping:
        """Send echo requests, and run the network until they are answered or lost. See `stack.lab.ping`."""
        from stack.lab.ping import ping

        return ping(self, target, count, **options)

    def traceroute(self, target: Host | str | IPAddress, **options: Any) -> Traceroute:
        """Find the routers on the way to a target. See `stack.lab.traceroute`."""
        from stack.lab.traceroute import traceroute

        return traceroute(self, target, **options)

    def resolve(self, target: Host | str | IPAddress, version: int | None = None) -> IPAddress:
        """The address of a host, a name or a literal address: IPv4 first, unless `version` says 6.

        Raises `AddressError` for a name that nobody has, and where there is no address of that version.
        """
        wanted = version_of(version)
        for one in self._known(target):
            if is_of_version(one, wanted):
                return one
        name = target.name if isinstance(target, Host) else target
        raise AddressError(f"{name} has no {f'IPv{version} ' if version else ''}address")

    def _known(self, target: Host | str | IPAddress) -> list[IPAddress]:
        """The addresses of a host, a name or a literal address, IPv4 first."""
        self.network.update()
        if isinstance(target, Host):
            return target.addresses
        if isinstance(target, IPv4Address | IPv6Address):
            return [target]
        if not isinstance(target, str):
            raise TypeError(f"{target!r} is no target; expected a host, a name or an address")
        known = self.network.names.addresses(target)
        if known is not None:
            return known
        if target in self.network.hosts:
            return self.network.hosts[target].addresses
        try:
            return [ip_address(target)]
        except AddressError:
            raise AddressError(f"nobody is named {target!r}, and it is no IP address") from None

    def netstat(self) -> Netstat:
        """Its sockets, as `netstat -an` would list them."""
        return self.engine.netstat()

    def counters(self) -> HostCounters:
        """What it has counted until now, under Linux's names: `counters()["TcpExtTCPTimeouts"]`. Two of them make a difference.

        Printed, it looks as `nstat` does.
        """
        return self.engine.counters()

    @property
    def drops(self) -> dict[DropReason, int]:
        """How many packets ended here, by reason."""
        return dict(self.engine.drops)

    def __repr__(self) -> str:
        kind = "Router" if self.engine.settings.forwarding else "Host"
        return f"<{kind} {self.name}: {', '.join(map(str, self.addresses)) or 'not linked'}>"
