"""Rows of numbered values in DNS: the options of EDNS (RFC 6891), the parameters of a service binding (RFC 9460)."""

from __future__ import annotations

from construct import Int8ub, Int16ub, this

from stack.codec.fields import Run, Sealed, wire
from stack.codec.header import header
from stack.codec.options import Option, Options, option

OPTION_CODES = {
    3: "NSID", 5: "DAU", 6: "DHU", 7: "N3U", 8: "client subnet", 9: "expire", 10: "cookie", 11: "TCP keepalive",
    12: "padding", 13: "chain", 14: "key tag", 15: "extended error",
}  # fmt: skip
PARAMETER_KEYS = {
    0: "mandatory", 1: "alpn", 2: "no-default-alpn", 3: "port", 4: "ipv4hint", 5: "ech", 6: "ipv6hint", 7: "dohpath",
}  # fmt: skip


class LongOptions(Options):
    """A row of options whose code and length have two octets each."""

    __slots__ = ()

    @classmethod
    def pad(cls, octets: bytes) -> bytes:
        return octets

    def measure(self, at: int) -> tuple[int, int]:
        if at + 4 > len(self):
            return 0, 0
        return self[at] << 8 | self[at + 1], 4 + (self[at + 2] << 8 | self[at + 3])


class LongOption(Option):
    """An option whose length does not count its first four octets."""

    __slots__ = ()

    def counted(self) -> int:
        return len(self) - 4


class EDNSOptions(LongOptions):
    """The options in an OPT record: octets that iterate as options."""

    __slots__ = ()


class ServiceParameters(LongOptions):
    """The parameters of a SVCB or HTTPS record: octets that iterate as parameters."""

    __slots__ = ()


@option(EDNSOptions)
@header
class EDNSOption(LongOption):
    """An EDNS option of any code, RFC 6891 section 6.1.2."""

    code: int = wire(Int16ub, names=OPTION_CODES)
    length: int = wire(Int16ub, default=Sealed, kw_only=True)
    data: bytes = wire(Run(this.length), default=b"")


@option(EDNSOptions, 8)
@header
class ClientSubnet(LongOption):
    """Client subnet, RFC 7871: the address is cut to whole octets."""

    label = "client subnet"
    code: int = wire(Int16ub, default=8, names=OPTION_CODES, kw_only=True)
    length: int = wire(Int16ub, default=Sealed, kw_only=True)
    family: int = wire(Int16ub, names={1: "IPv4", 2: "IPv6"})
    source_prefix: int = wire(Int8ub)
    scope_prefix: int = wire(Int8ub, default=0)
    address: bytes = wire(Run(this.length - 4), default=b"")


@option(EDNSOptions, 10)
@header
class Cookie(LongOption):
    """Cookie, RFC 7873: 8 octets of the client, then 8 to 32 of the server."""

    label = "cookie"
    code: int = wire(Int16ub, default=10, names=OPTION_CODES, kw_only=True)
    length: int = wire(Int16ub, default=Sealed, kw_only=True)
    cookie: bytes = wire(Run(this.length))


@option(ServiceParameters)
@header
class ServiceParameter(LongOption):
    """A parameter of a service binding, RFC 9460 section 2.2."""

    key: int = wire(Int16ub, names=PARAMETER_KEYS)
    length: int = wire(Int16ub, default=Sealed, kw_only=True)
    value: bytes = wire(Run(this.length), default=b"")
