"""A packet is its headers and its bytes: two views of one thing, each made when someone looks."""

from __future__ import annotations

from typing import Any, TypeVar

from stack.base.errors import WireError
from stack.codec.header import Header
from stack.codec.registry import LinkType, beginning, linked

_H = TypeVar("_H", bound=Header)


class Packet:
    """Headers in wire order, then `payload`, then `trailer` (octets after what the headers' lengths cover).

    Made from headers, its bytes are built when asked for, and kept; parsed from bytes, it is read layer by layer as far
    as someone looks. What no header can hold (damaged, cut, unknown) stays in `payload`. `cause` says why a host sent
    it; it is not on the wire, and no part of equality.
    """

    __slots__ = ("_at", "_data", "_end", "_headers", "_kind", "_payload", "_trailer", "cause", "linktype")

    _headers: tuple[Header, ...]
    _payload: bytes
    _trailer: bytes
    _data: bytes | None
    _kind: type[Header] | None  # the header type that is to be parsed next, at `_at`
    _at: int
    _end: int  # where what the headers' lengths cover ends
    cause: str | None
    linktype: int

    def __init__(
        self,
        *headers: Header,
        payload: bytes = b"",
        trailer: bytes = b"",
        cause: str | None = None,
        linktype: int = LinkType.ETHERNET,
    ) -> None:
        for one in headers:
            if not isinstance(one, Header):
                raise TypeError(f"{one!r} is not a header")
        self._headers = linked(headers)
        self._payload = bytes(payload)
        self._trailer = bytes(trailer)
        self._data = self._kind = None
        self.cause = cause
        self.linktype = linktype

    @classmethod
    def of(cls, headers: tuple[Header, ...], payload: bytes, cause: str | None = None) -> Packet:
        """A packet of complete headers, unchecked: for those who make many."""
        self = _new(cls)
        self._headers = headers
        self._payload = payload
        self._trailer = b""
        self._data = self._kind = None
        self.cause = cause
        self.linktype = 1
        return self

    @classmethod
    def parse(cls, data: bytes, linktype: int = LinkType.ETHERNET, *, cause: str | None = None) -> Packet:
        """The packet of a frame's bytes. Never raises for what the bytes hold: see the class."""
        self = _new(cls)
        self._data = data = data if type(data) is bytes else bytes(data)
        self._headers = ()
        self._kind = beginning(linktype, data)
        self._at = 0
        self._end = len(data)
        self.cause = cause
        self.linktype = linktype
        if self._kind is None:
            self._payload = data
            self._trailer = b""
        return self

    def _parse_next(self) -> Header | None:
        """Parse one more header; None when there is no other."""
        kind, data, at, end = self._kind, self._data, self._at, self._end
        assert kind is not None
        assert data is not None
        try:
            header: Header
            header, at = kind.decode(data, at, end)
        except WireError:
            header, kind = None, None  # type: ignore[assignment]
        else:
            self._headers += (header,)
            if kind.has_extent and 0 <= (size := header.extent(end - at)) < end - at:
                self._end = end = at + size
            kind = header.carries() if at < end else None
        self._at = at
        self._kind = kind
        if kind is None:
            self._payload = data[at:end]
            self._trailer = data[end:]
        return header

    @property
    def headers(self) -> tuple[Header, ...]:
        """All headers, outermost first."""
        while self._kind is not None:
            self._parse_next()
        return self._headers

    @property
    def payload(self) -> bytes:
        """What follows the last header."""
        while self._kind is not None:
            self._parse_next()
        return self._payload

    @property
    def trailer(self) -> bytes:
        """What follows the payload: padding, mostly."""
        while self._kind is not None:
            self._parse_next()
        return self._trailer

    def get(self, kind: type[_H]) -> _H | None:
        """The first header of this type, or None."""
        for one in self._headers:
            if type(one) is kind:
                return one
        while self._kind is not None:
            found = self._parse_next()
            if type(found) is kind:
                return found
        return None

    def __getitem__(self, kind: type[_H]) -> _H:
        found = self.get(kind)
        if found is None:
            names = " / ".join(type(one).__name__ for one in self._headers) or "no headers"
            raise KeyError(f"no {kind.__name__} in this packet ({names})")
        return found

    def __contains__(self, kind: type[Header]) -> bool:
        return self.get(kind) is not None

    def __bytes__(self) -> bytes:
        if self._data is None:
            self._data = self.rebuild()
        return self._data

    def rebuild(self) -> bytes:
        """Its bytes, made from the values of its headers, payload and trailer alone; raises `WireError`."""
        body = self.payload
        headers = self._headers
        index = len(headers)
        while index:
            index -= 1
            body = headers[index].seal(body, headers, index) + body
        return body + self._trailer if self._trailer else body

    def __len__(self) -> int:
        if self._data is not None:
            return len(self._data)
        size = len(self._payload) + len(self._trailer)
        for one in self._headers:
            size += len(one)
        return size

    def __bool__(self) -> bool:
        return True

    def __truediv__(self, other: Any) -> Packet:
        """This packet with a header, another packet or bytes after its last header."""
        if isinstance(other, Header):
            other = Packet(other)
        if isinstance(other, bytes | bytearray | memoryview):
            if self.payload:
                raise TypeError("nothing can be put after a payload")
            headers, payload, trailer = self.headers, bytes(other), self.trailer
        elif isinstance(other, Packet):
            if self.payload:
                raise TypeError("nothing can be put after a payload")
            headers, payload, trailer = self.headers + other.headers, other.payload, other.trailer + self.trailer
        else:
            return NotImplemented
        return Packet(*headers, payload=payload, trailer=trailer, cause=self.cause, linktype=self.linktype)

    def replace(self, *changed: Header, payload: bytes | None = None, cause: str | None = None) -> Packet:
        """This packet with the first header of each changed one's type replaced by it, and its bytes to be made anew.

        Parsed headers have numbers where made ones are Sealed: give `checksum=Sealed` where it should follow a change.
        """
        headers = list(self.headers)
        for one in changed:
            place = next((i for i, old in enumerate(headers) if type(old) is type(one)), None)
            if place is None:
                raise KeyError(f"no {type(one).__name__} in this packet")
            headers[place] = one
        made = Packet.of(tuple(headers), self.payload if payload is None else payload, cause or self.cause)
        made._trailer = self._trailer
        made.linktype = self.linktype
        return made

    def __eq__(self, other: object) -> bool:
        return bytes(self) == bytes(other) if isinstance(other, Packet) else NotImplemented

    def __hash__(self) -> int:
        return hash(bytes(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return _reparse, (bytes(self), self.linktype, self.cause)

    def __repr__(self) -> str:
        parts = [repr(one) for one in self.headers]
        parts += [repr(self._payload)] if self._payload else []
        return " / ".join(parts) or "Packet()"

    def __str__(self) -> str:
        lines = [str(one) for one in self.headers]
        lines += [f"Payload: {len(self._payload)} octets"] if self._payload else []
        lines += [f"Trailer: {len(self._trailer)} octets"] if self._trailer else []
        return "\n".join(lines)


_new = object.__new__


def _reparse(data: bytes, linktype: int, cause: str | None) -> Packet:
    return Packet.parse(data, linktype, cause=cause)
