"""`@header`: a class whose fields carry construct formats becomes a typed, slotted, immutable value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

import construct as c

from stack.base.errors import WireError
from stack.codec.derive import derive, waits
from stack.codec.fields import REQUIRED, Field, Sealed, bare, bit_width, fixed_bytes, unsigned_octets, wire
from stack.codec.layout import Bits, Item, declare, gather
from stack.codec.step import method, unlink

_H = TypeVar("_H", bound="Header")


# octets, offset, end → the type of the next header or None, its offset, where its enclosing header's reach ends
Skip = Callable[[bytes, int, int], tuple["type[Header] | None", int, int]]


class Header:
    """What every header has. Subclasses declare fields and are decorated with `@header`."""

    __slots__ = ()

    fields: ClassVar[dict[str, Field]]  # name → declaration, in wire order
    format: ClassVar[Any]  # the construct Struct: the authority on the bytes
    size: ClassVar[int]  # octets of the part of fixed size
    derived: ClassVar[str]  # the text of the derived functions
    slots: ClassVar[tuple[str, ...]]  # what a value stores, in the order of `of`
    carried: ClassVar[list[tuple[str, dict[int, type[Header]]]]]  # field → number → what follows
    carriers: ClassVar[dict[type[Header], tuple[str, int]]]  # what we follow → its field and our number
    decode: ClassVar[Callable[[bytes, int, int], tuple[Any, int]]]
    step: ClassVar[Any]  # `decode`, `extent` and `carries` in one, for who reads on: a `Step` (step.py)
    walk: ClassVar[Any]  # all headers of octets that begin with one of this type: a `Walk` (step.py)
    skip: ClassVar[Any]  # `decode`, `extent` and `carries` in one, for who looks for a later header only: a `Skip`
    of: ClassVar[Callable[..., Any]]

    __match_args__: ClassVar[tuple[str, ...]]  # the fields that go by position

    flags: int  # the run of flag bits as one integer, where there is one
    has_extent: ClassVar[bool] = False
    inherits_carries: ClassVar[bool] = True  # what follows is said by the registry alone
    derives_step: ClassVar[bool] = True  # it has none that is written by hand
    usual: ClassVar[bool] = False  # in most captures: worth being written into the `walk` of what is before it
    recurs: ClassVar[bool] = False  # of a type of fixed size: few different ones make up a capture; parsed once, shared
    known: ClassVar[dict[bytes, Any]]  # octets → the header made of them, where they recur
    # Construct expressions of the fields, for what is the same in every such header: how many octets after it are its
    # own (`extent`), and the number that, unless it is 0, says that no header follows (`carries`).
    reach: ClassVar[Any] = None
    opaque: ClassVar[Any] = None
    alike: ClassVar[type[Header] | None] = None  # the header type whose numbers for what follows this one shares
    _options: bytes  # the row of options as octets, where there is one
    _given: tuple[str, ...]

    @classmethod
    def parse(cls, data: bytes, offset: int = 0, end: int | None = None) -> Self:
        """The header that begins at `offset` of `data`; raises `WireError`. Octets after it are left alone."""
        raw = data if isinstance(data, bytes) else bytes(data)
        header: Self = cls.decode(raw, offset, len(raw) if end is None else end)[0]
        return header

    def pack(self, *given: Any, **named: Any) -> bytes:
        """The header's octets, with `given` values for its Sealed fields; raises `WireError`."""
        raise NotImplementedError

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        """The header's octets when it is `headers[index]` and `body` follows it: Sealed fields are computed here."""
        return self.pack()

    def __bytes__(self) -> bytes:
        return self.seal(b"", (self,), 0)

    def __len__(self) -> int:
        raise NotImplementedError

    def __bool__(self) -> bool:
        return True

    def extent(self, available: int) -> int:
        """Of `available` octets after this header, how many belong to it. The rest is trailer.

        Raises `WireError` where their number shows that this is no such header after all.
        """
        return available

    def pseudo_sum(self, protocol: int, length: int, headers: tuple[Header, ...], index: int) -> int:
        """The residue that this header, at `headers[index]`, adds to a transport checksum: 0 but for IP."""
        return 0

    def carries(self) -> type[Header] | None:
        """The header type that follows, by the registry, or None where there is no telling."""
        if self.opaque is not None and self.hides():
            return None
        for name, kinds in self.carried:
            kind = kinds.get(getattr(self, name))
            if kind is not None:
                return kind
        return None

    def hides(self) -> bool:
        """Whether the header type that follows cannot be told although a number says it: see `opaque`."""
        return False

    def replace(self: _H, **changes: Any) -> _H:
        """The same header with some fields changed (`flags` too); raises `WireError` for what does not fit."""
        values = {name: getattr(self, name) for name in self.slots}
        bits = type(self).flag_bits()
        for name, value in changes.items():
            if name in bits:
                values["flags"] = values["flags"] | bits[name] if value else values["flags"] & ~bits[name]
            elif name == "flags" and "flags" in values:
                values["flags"] = value & (1 << len(bits)) - 1
            elif name in self.fields:
                try:
                    values[name] = self.fields[name].check(value)
                except WireError as error:
                    raise WireError(f"{type(self).__name__}.{name}", None, error.reason) from None
            else:
                raise TypeError(f"{type(self).__name__} has no field {name!r}")
        changed: _H = self.of(**values)
        if hasattr(self, "_given"):  # what the caller has named so far, and names now
            object.__setattr__(changed, "_given", tuple(dict.fromkeys((*self._given, *changes))))
        return changed

    @classmethod
    def flag_bits(cls) -> dict[str, int]:
        """The names of the bits of `flags` and their values, highest first."""
        names = [name for name in cls.fields if name not in cls.slots]
        return {name: 1 << len(names) - 1 - place for place, name in enumerate(names)}

    def given(self) -> tuple[str, ...]:
        """The fields that the caller named; all, for a header that was parsed."""
        try:
            return self._given
        except AttributeError:
            return tuple(self.fields)

    def matches(self, other: object) -> bool:
        """Whether `other` is a header of this type that has the values this one was given."""
        return type(other) is type(self) and all(getattr(self, n) == getattr(other, n) for n in self.given())

    def items(self) -> Iterator[tuple[Field, Any]]:
        """Each field and its value, in wire order."""
        for name, field in self.fields.items():
            yield field, getattr(self, name)

    def __eq__(self, other: object) -> bool:
        """Equal values of all fields. Sealed equals only Sealed: `matches` asks whether another header fits a made one."""
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.slots)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in self.slots)))

    def __reduce__(self) -> tuple[Any, ...]:
        return _remake, (type(self), tuple(getattr(self, name) for name in self.slots))

    def __truediv__(self, other: Any) -> Any:
        from stack.codec.packet import Packet

        return Packet(self) / other

    def __repr__(self) -> str:
        shown = ", ".join(f"{f.name}={_brief(v)}" for f, v in self.items() if v is not f.default and v != f.default)
        return f"{type(self).__name__}({shown})"

    def __str__(self) -> str:
        shown = ", ".join(f"{f.name} {f.show(v)}" for f, v in self.items() if v is not Sealed)
        return f"{type(self).__name__}: {shown}"


def _brief(value: Any) -> str:
    return f"'{value!s}'" if isinstance(value, bytes) and type(value) is not bytes else repr(value)


def _remake(kind: type[Header], values: tuple[Any, ...]) -> Any:
    return kind.of(*values)


_TAKEN = frozenset(Header.__annotations__) | frozenset(vars(Header))
HeaderType = type[Header]  # for classes that have a field `type`


@dataclass_transform(frozen_default=True, field_specifiers=(wire,))
def header(cls: type[_H]) -> type[_H]:
    """Make a header type of a class whose annotated fields are made by `wire`."""
    fields: dict[str, Field] = {}
    for name, declared in cls.__dict__.items():
        if isinstance(declared, Field):
            if name in _TAKEN:
                raise TypeError(f"{cls.__name__} cannot have a field {name!r}: every header has something else of that name")
            declared.name = name
            declared.bits = _bits(declared.format)
            fields[name] = declared
    positional = tuple(name for name, one in fields.items() if not one.kw_only)
    items = gather(list(fields.values()))
    slots, flags = _slots(items)
    sealable = [name for name, one in fields.items() if one.sealable]
    space = {k: v for k, v in cls.__dict__.items() if k not in fields and k not in ("__dict__", "__weakref__")}
    stored = {name: f"_{name}" if name in fields and waits(fields[name]) else name for name in slots}
    draft = type(cls.__name__, cls.__bases__, {"__slots__": (*stored.values(), "_given"), "__module__": cls.__module__})
    space |= {
        "__slots__": (), "__setattr__": _immutable, "__delattr__": _immutable, "__match_args__": positional,
        "fields": fields, "slots": tuple(slots), "format": cls.__name__ / declare(items), "carried": [], "carriers": {},
        "has_extent": cls.reach is not None or cls.extent is not Header.extent, "inherits_carries": cls.carries is Header.carries,
        "derives_step": "step" not in cls.__dict__,
    }  # fmt: skip
    space |= {one.name: _flag(one, len(flags) - 1 - place) for place, one in enumerate(flags)}
    made: Any = type(cls.__name__, (draft,), space)
    made.__qualname__ = cls.__qualname__
    made.derived, made.size = derive(made, draft, items, slots, sealable)
    for name, declared in (("extent", made.reach), ("hides", made.opaque)):
        if declared is not None:
            setattr(made, name, method(made, name, declared))
    unlink(made)
    if "skip" not in cls.__dict__:
        made.skip = staticmethod(_skipper(made))
    made.__init__ = _initializer(made, draft, fields, stored, [one.name for one in flags])
    kind: type[_H] = made
    return kind


def _skipper(cls: Any) -> Skip:
    """The `skip` of a header type that has none of its own."""

    def skip(data: bytes, at: int, end: int) -> tuple[type[Header] | None, int, int]:
        try:
            _, at, end, kind = cls.step(data, at, end)
        except WireError:
            return None, at, end
        return kind, at, end

    return skip


def _slots(items: list[Item]) -> tuple[list[str], list[Field]]:
    """What a value stores: each field, but for the flags that share one integer."""
    slots: list[str] = []
    flags: list[Field] = []
    for item in items:
        if isinstance(item, Bits):
            flags += item.flags
            for one in item.fields:
                if one not in item.flags:
                    slots.append(one.name)
                elif one is item.flags[0]:
                    slots.append("flags")
        else:
            slots.append(item.name)
    return slots, flags


def _bits(format: Any) -> int | None:
    """The width in bits of a field of fixed size."""
    inner = bare(format)
    if (width := bit_width(inner)) is not None:
        return width
    size = fixed_bytes(inner) or unsigned_octets(inner)
    if size is None and isinstance(inner, c.FormatField):
        size = inner.length
    return None if size is None else 8 * size


def _flag(field: Field, shift: int) -> property:
    mask = 1 << shift

    def get(self: Any) -> bool:
        return bool(self.flags & mask)

    return property(get, doc=field.doc or None)


def _immutable(self: Any, name: str, *value: Any) -> None:
    raise AttributeError(f"a {type(self).__name__} is immutable; use replace({name}=…)")


def _initializer(cls: Any, draft: Any, fields: dict[str, Field], stored: dict[str, str], flags: list[str]) -> Any:
    """`__init__`: fields by position or name, each checked; remembers which were given."""
    setters = {name: getattr(draft, slot).__set__ for name, slot in stored.items()}
    remember = draft._given.__set__
    names: tuple[str, ...] = cls.__match_args__

    def initialize(self: Any, *values: Any, **named: Any) -> None:
        if len(values) > len(names):
            raise TypeError(f"{cls.__name__} takes {len(names)} values; {len(values)} were given")
        for name, value in zip(names, values, strict=False):
            if name in named:
                raise TypeError(f"{cls.__name__}: {name!r} is given twice")
            named[name] = value
        word = named.pop("flags", 0) if flags else 0
        for name in named:
            if name not in fields:
                raise TypeError(f"{cls.__name__} has no field {name!r}; it has {', '.join(fields)}")
        for place, name in enumerate(flags):
            if fields[name].check(named.get(name, fields[name].default)):
                word |= 1 << len(flags) - 1 - place
        for name, put in setters.items():
            if name == "flags" and flags:
                put(self, word)
                continue
            one = fields[name]
            value = named.get(name, one.default)
            if value is REQUIRED:
                raise TypeError(f"{cls.__name__}: {name!r} is missing")
            try:
                put(self, one.check(value))
            except WireError as error:
                raise WireError(f"{cls.__name__}.{name}", None, error.reason) from None
        remember(self, tuple(named))

    return initialize
