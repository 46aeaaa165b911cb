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
    as someone looks. Both show the same layers: the payload of a made packet is read on, too, where its last header
    says what it is. What no header can hold (damaged, cut, unknown) stays in `payload`. `after(TCP)` is what TCP
    carries, however many layers are known in it. `cause` says why a host sent it; it is not on the wire, and no part
    of equality.
    """

    __slots__ = ("_at", "_data", "_end", "_headers", "_kind", "_payload", "_trailer", "cause", "linktype")

    _headers: tuple[Header, ...]
    _payload: bytes
    _trailer: bytes
    _data: bytes | None
    _kind: type[Header] | None  # the header type that is to be parsed next, at `_at`; `Header` itself: see `_read_on`
    _at: int
    _end: int  # where what the headers' lengths cover ends; -1 for a packet that was made from headers
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
        self._data = None
        self._kind = Header
        self._end = -1
        self.cause = cause
        self.linktype = linktype

    @classmethod
    def of(cls, headers: tuple[Header, ...], payload: bytes, cause: str | None = None) -> Packet:
        """A packet of complete headers, unchecked: for those who make many."""
        self = _new(cls)
        self._headers = headers
        self._payload = payload
        self._trailer = b""
        self._data = None
        self._kind = Header
        self._end = -1
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
        header: Header | None
        try:
            header, at = kind.decode(data, at, end)  # type: ignore[union-attr, arg-type]
            if kind.has_extent and 0 <= (size := header.extent(end - at)) < end - at:  # type: ignore[union-attr]
                self._end = end = at + size
        except WireError:
            header = self._kind = None
        else:
            self._headers += (header,)
            self._at = at
            self._kind = header.carries() if at < end else None
        if self._kind is None:
            self._payload = data[self._at : end]  # type: ignore[index]
            self._trailer = data[end:]  # type: ignore[index]
        return header

    def _read_on(self) -> None:
        """Read what is known: of a made packet, the payload that its last header tells the type of."""
        if self._kind is Header:
            self._kind = None
            kind = self._headers[-1].carries() if self._headers and self._payload else None
            if kind is None:
                return
            inner = _new(Packet)
            inner._data, inner._kind, inner._headers = self._payload, kind, ()
            inner._at, inner._end = 0, len(self._payload)
            self._headers += inner.headers
            self._payload = inner._payload
            self._trailer = inner._trailer + self._trailer
        while self._kind is not None:
            self._parse_next()

    @property
    def headers(self) -> tuple[Header, ...]:
        """All headers, outermost first."""
        if self._kind is not None:
            self._read_on()
        return self._headers

    @property
    def payload(self) -> bytes:
        """What follows the last header."""
        if self._kind is not None:
            self._read_on()
        return self._payload

    @property
    def trailer(self) -> bytes:
        """What follows the payload: padding, mostly."""
        if self._kind is not None:
            self._read_on()
        return self._trailer

    def get(self, kind: type[_H]) -> _H | None:
        """The first header of this type, or None."""
        for one in self._headers:
            if type(one) is kind:
                return one
        if self._kind is Header:
            self._read_on()
            return next((one for one in self._headers if type(one) is kind), None)
        while self._kind is not None:
            found = self._parse_next()
            if type(found) is kind:
                return found
        return None

    def after(self, kind: type[Header]) -> bytes:
        """What the first header of this type carries: the octets after it, as far as it and those before it reach."""
        found = self[kind]
        headers = self._headers
        if found is headers[-1]:
            if self._kind is None or self._kind is Header:
                return self._payload
            return self._data[self._at : self._end]  # type: ignore[index]
        if self._end < 0:
            return self._built(headers.index(found) + 1)
        at, end = 0, len(bytes(self))
        for one in headers:
            at += len(one)
            if one.has_extent and 0 <= (size := one.extent(end - at)) < end - at:
                end = at + size
            if one is found:
                break
        return bytes(self)[at:end]

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
        if self._end >= 0 and self._kind is not None:
            self._read_on()
        return self._built(0) + self._trailer

    def _built(self, first: int) -> bytes:
        """The octets from the header at index `first` on, without the trailer."""
        body = self._payload
        headers = self._headers
        index = len(headers)
        while index > first:
            index -= 1
            body = headers[index].seal(body, headers, index) + body
        return body

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
