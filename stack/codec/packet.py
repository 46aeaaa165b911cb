"""A packet is its headers and its bytes: two views of one thing, each made when someone looks."""

from __future__ import annotations

from typing import Any, TypeVar

from stack.base.errors import WireError
from stack.codec.header import Header
from stack.codec.registry import LinkType, beginning, firsts, linked, load_formats

_H = TypeVar("_H", bound=Header)
_ETHERNET = int(LinkType.ETHERNET)  # an enumeration's hash takes as long as reading a header


class Packet:
    """Headers in wire order, then `payload`, then `trailer` (octets after what the headers' lengths cover).

    Made from headers, its bytes are built when asked for, and kept; parsed from bytes, it is read layer by layer as far
    as someone looks. Both show the same layers: the payload of a made packet is read on, too, where its last header
    says what it is. What no header can hold (damaged, cut, unknown) stays in `payload`. `after(TCP)` is what TCP
    carries, however many layers are known in it. `cause` says why a host sent it; it is not on the wire, and no part
    of equality.
    """

    __slots__ = (
        "_after", "_data", "_headers", "_kind", "_payload", "_rest", "_seen", "_size", "_start", "_stop", "_trailer",
        "cause", "linktype",
    )  # fmt: skip

    _data: bytes | None
    _headers: tuple[Header, ...] | None  # None: came as bytes, and nobody has asked for all of them
    _kind: type[Header] | None  # of a packet that came as bytes, the first header's type; `Header`: see `_read_on`
    _seen: Header | None  # the one header that someone looked at, and where in `_data` what it carries begins and ends
    _start: int
    _stop: int
    _payload: bytes | None  # None: the octets of `_data` from `_after` to `_rest`
    _trailer: bytes | None  # None: the octets of `_data` from `_rest` on
    _after: int
    _rest: int
    _size: int | None  # of a made packet, the octets on the wire, once they are known
    cause: str | None
    linktype: int

    def __init__(
        self,
        *headers: Header,
        payload: bytes = b"",
        trailer: bytes = b"",
        cause: str | None = None,
        linktype: int = _ETHERNET,
    ) -> None:
        for one in headers:
            if not isinstance(one, Header):
                raise TypeError(f"{one!r} is not a header")
        self._headers = linked(headers)
        self._payload = bytes(payload)
        self._trailer = bytes(trailer)
        self._data = None
        self._kind = Header
        self._size = None
        self.cause = cause
        self.linktype = linktype

    @classmethod
    def of(
        cls, headers: tuple[Header, ...], payload: bytes, cause: str | None = None, size: int | None = None
    ) -> Packet:
        """A packet of complete headers, unchecked: for those who make many. `size`: its octets, if they are known."""
        self = _new(cls)
        self._headers = headers
        self._payload = payload
        self._trailer = b""
        self._data = None
        self._kind = Header
        self._size = size
        self.cause = cause
        self.linktype = 1
        return self

    @classmethod
    def parse(cls, data: bytes, linktype: int = _ETHERNET, *, cause: str | None = None) -> Packet:
        """The packet of a frame's bytes. Never raises for what the bytes hold: see the class."""
        self = _new(cls)
        self._data = data = data if type(data) is bytes else bytes(data)
        self._size = None
        self._headers = None
        self._kind = firsts.get(linktype) or beginning(linktype, data)
        self._seen = None
        self.cause = cause
        self.linktype = linktype
        return self

    def _read_all(self) -> tuple[Header, ...]:
        """All headers, of a packet in either form."""
        if self._headers is None:
            kind, data = self._kind, self._data
            assert data is not None
            self._headers, self._after, self._rest = ((), 0, len(data)) if kind is None else kind.walk(data)
            self._payload = self._trailer = None
        elif self._kind is Header:
            # A made packet, whose last header may tell what its payload is.
            load_formats()
            data = self._payload or b""
            self._kind = self._headers[-1].carries() if self._headers and data else None
            if self._kind is not None:
                inner, at, end = self._kind.walk(data)
                self._headers += inner
                self._payload = data[at:end]
                self._trailer = data[end:] + (self._trailer or b"")
                self._kind = None
        return self._headers

    def _look(self, wanted: type[Header]) -> Header | None:
        """In a packet that came as bytes, the first header of a type: those before it are passed over."""
        kind, data, at = self._kind, self._data, 0
        assert data is not None
        end = len(data)
        while kind is not wanted:
            if kind is None:
                return None
            kind, at, end = kind.skip(data, at, end)
        try:
            header: Header
            header, at = wanted.decode(data, at, end)
            if wanted.has_extent and 0 <= (size := header.extent(end - at)) < end - at:
                end = at + size
        except WireError:
            return None
        self._start = at
        self._stop = end
        self._seen = header
        return header

    @property
    def headers(self) -> tuple[Header, ...]:
        """All headers, outermost first."""
        headers, kind = self._headers, self._kind
        if headers is None and kind is not None:
            self._headers, self._after, self._rest = kind.walk(self._data)
            self._payload = self._trailer = None
            return self._headers
        return self._read_all() if headers is None or kind is Header else headers

    @property
    def payload(self) -> bytes:
        """What follows the last header."""
        self._read_all()
        payload = self._payload
        if payload is None:
            self._payload = payload = self._data[self._after : self._rest]  # type: ignore[index]
        return payload

    @property
    def trailer(self) -> bytes:
        """What follows the payload: padding, mostly."""
        self._read_all()
        trailer = self._trailer
        if trailer is None:
            self._trailer = trailer = self._data[self._rest :]  # type: ignore[index]
        return trailer

    def __getitem__(self, kind: type[_H]) -> _H:
        found: Any
        if self._headers is None and self._seen is None:
            found = self._look(kind)
        else:
            found = self.get(kind)
        if found is None:
            names = " / ".join(type(one).__name__ for one in self.headers) or "no headers"
            raise KeyError(f"no {kind.__name__} in this packet ({names})")
        return found  # type: ignore[no-any-return]

    def get(self, kind: type[_H]) -> _H | None:
        """The first header of this type, or None."""
        if self._headers is None:
            # Who looks at one type of header does not pay for the others; who looks at two gets all.
            seen: Any = self._seen
            if type(seen) is kind:
                return seen
            if seen is None:
                seen = self._look(kind)
                return seen  # type: ignore[no-any-return]
        elif self._kind is Header:
            for one in self._headers:
                if type(one) is kind:
                    return one
        for one in self._read_all():
            if type(one) is kind:
                return one
        return None

    def after(self, kind: type[Header]) -> bytes:
        """What the first header of this type carries: the octets after it, as far as it and those before it reach."""
        found = self[kind]
        if self._kind is not None and self._kind is not Header:
            if type(self._seen) is not kind:
                self._look(kind)
            return self._data[self._start : self._stop]  # type: ignore[index]
        headers: Any = self._headers
        return self._payload or b"" if found is headers[-1] else self._built(headers.index(found) + 1)

    def __contains__(self, kind: type[Header]) -> bool:
        return self.get(kind) is not None

    def __bytes__(self) -> bytes:
        data = self._data
        if data is None:
            self._data = data = self._built(0) + self._trailer  # type: ignore[operator]
        return data

    def rebuild(self) -> bytes:
        """Its bytes, made from the values of its headers, payload and trailer alone; raises `WireError`."""
        if self._headers is None:
            self._read_all()
        trailer = self._trailer
        return self._built(0) + (self.trailer if trailer is None else trailer)

    def _built(self, first: int) -> bytes:
        """The octets from the header at index `first` on, without the trailer."""
        body = self._payload
        if body is None:
            body = self.payload
        headers = self._headers
        assert headers is not None
        index = len(headers)
        while index > first:
            index -= 1
            body = headers[index].seal(body, headers, index) + body
        return body

    def __len__(self) -> int:
        size = self._size
        if size is None:
            if self._data is None:
                size = len(self._payload) + len(self._trailer)  # type: ignore[arg-type]
                for one in self._headers:  # type: ignore[union-attr]
                    size += len(one)
            else:
                size = len(self._data)
            self._size = size
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
        made._trailer = self.trailer
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
        parts += [repr(self.payload)] if self.payload else []
        return " / ".join(parts) or "Packet()"

    def __str__(self) -> str:
        lines = [str(one) for one in self.headers]
        lines += [f"Payload: {len(self.payload)} octets"] if self.payload else []
        lines += [f"Trailer: {len(self.trailer)} octets"] if self.trailer else []
        return "\n".join(lines)


_new = object.__new__


def _reparse(data: bytes, linktype: int, cause: str | None) -> Packet:
    return Packet.parse(data, linktype, cause=cause)
