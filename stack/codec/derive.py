"""Derive parse and build functions from a construct declaration.

The construct `Struct` of a header is the authority; what is written here follows from it and differs in speed only.
Neighbouring fields of fixed size fold into one `struct.Struct`, bits into shifts and masks, runs of octets into slices;
what the deriver does not know it leaves to construct (`rest.py`). The code is generated once for a class and kept as
`X.derived`, readable.
"""

from __future__ import annotations

import linecache
import re
import struct
from collections.abc import Callable
from functools import partial
from typing import Any

import construct as c

from stack.base.errors import WireError
from stack.codec.fields import Field, Run, Value, bare, bit_width, fixed_bytes, unsigned_octets
from stack.codec.layout import Bits, Item, declare, expression
from stack.codec.rest import Rest

_KNOWN = 1 << 12
_WORD_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}


class Writer:
    """Writes the functions of one header class, item by item."""

    def __init__(self, name: str, items: list[Item]) -> None:
        self.name = name
        self.scope: dict[str, Any] = {"_struct_error": struct.error, "_octets": bytes.__new__}
        self.decode: list[str] = []
        self.checks: list[str] = []  # statements before building
        self.parts: list[str] = []  # expressions of octets
        self.lengths: list[str] = []
        self.size = 0  # octets of all groups of fixed size
        self.known: list[str] = []  # names parsed so far
        self.lazy: set[str] = set()  # octets that become their `bytes` subclass when someone looks; kept in `_name`
        self.sealable: set[str] = set()
        self._codes: list[str] = []  # of reading
        self._apart: list[str] = []  # of building, where pairs of addresses are two
        self._order = ""
        self._targets: list[str] = []
        self._after: list[str] = []
        self._sources: list[str] = []
        self._groups = 0
        for one in items:
            if isinstance(one, Field) and waits(one):
                self.lazy.add(one.name)
                self.scope[f"_kind_{one.name}"] = bare(one.format).kind
        for position, item in enumerate(items):
            if not self._write(item):
                self._rest(items[position:])
                break
        self._close()

    def _write(self, item: Item) -> bool:
        """Write one item; False if it must go to construct, and all after it."""
        if isinstance(item, Bits):
            self._bits(item)
            return True
        self.sealable |= {item.name} if item.sealable else set()
        inner = bare(item.format)
        wrapped = inner if isinstance(inner, Value) else None
        core = bare(wrapped.subcon) if wrapped else inner
        if isinstance(core, c.FormatField):
            order = core.fmtstr[0] if core.length > 1 else ""
            self._fixed(item.name, core.fmtstr[-1], core.length, order, self._source(item.name))
        elif (size := fixed_bytes(inner)) is not None:
            self._fixed(item.name, f"{size}s", size, "", self._source(item.name))
            if wrapped:
                self._wrap(item.name, wrapped)
        elif (size := unsigned_octets(inner)) is not None:
            self._fixed(item.name, f"{size}s", size, "", f"{self._source(item.name)}.to_bytes({size}, 'big')")
            self._after.append(f"{item.name} = int.from_bytes({item.name}, 'big')")
        elif isinstance(core, c.Bytes) or core is c.GreedyBytes:
            return self._run(item.name, core, wrapped)
        else:
            return False
        self.known.append(item.name)
        return True

    def _source(self, name: str) -> str:
        return name if name in self.sealable else f"self.{self._slot(name)}"

    def _slot(self, name: str) -> str:
        return f"_{name}" if name in self.lazy else name

    def _wrap(self, name: str, wrapped: Value) -> None:
        self.scope[f"_wrap_{name}"] = wrapped.wrap
        if not hasattr(wrapped.kind, "of"):
            self._after.append(f"{name} = _wrap_{name}({name})")
            return
        self.scope[f"_wrap_{name}"] = getattr(wrapped.kind, "of")  # noqa: B009
        before = self._targets[-2] if len(self._targets) > 1 else ""
        if self._after[-1:] != [f"{before} = _wrap_{before}[{before}]"]:
            self._after.append(f"{name} = _wrap_{name}[{name}]")
            return
        # Two addresses side by side: the same two come again and again, and are looked up at once.
        size, more = (int(code[:-1]) for code in self._codes[-2:])
        first, second = self.scope[f"_wrap_{before}"], self.scope[f"_wrap_{name}"]
        self.scope[f"_pairs_{name}"] = Known(lambda octets: (first[octets[:size]], second[octets[size:]]))
        self._codes[-2:] = [f"{size + more}s"]
        self._targets[-2:] = ["_pair"] if (alone := "_pair" not in self._targets) else [f"_pair_{name}"]
        self._after[-1] = f"{before}, {name} = _pairs_{name}[{'_pair' if alone else f'_pair_{name}'}]"

    def _fixed(self, target: str, code: str, size: int, order: str, source: str) -> None:
        if order and self._order and order != self._order:
            self._close()
        self._order = self._order or order
        self._codes.append(code)
        self._apart.append(code)
        self._targets.append(target)
        self._sources.append(source)
        self.size += size

    def _bits(self, item: Bits) -> None:
        octets = item.width // 8
        word = f"_word{len(self.known)}"
        left = item.width
        terms = []
        for one in item.fields:
            width = bit_width(one.format) or 0
            left -= width
            self.sealable |= {one.name} if one.sealable else set()
            if one in item.flags:
                if one is item.flags[-1]:
                    self._after.append(f"flags = {_bits_of(word, left, len(item.flags), item.width)}")
                    terms.append(f"self.flags << {left}" if left else "self.flags")
                    self.known += ["flags"]
                continue
            flag = " == 1" if bare(one.format) is c.Flag else ""
            self._after.append(f"{one.name} = {_bits_of(word, left, width, item.width)}{flag}")
            source = self._source(one.name)
            if one.sealable:
                self.checks.append(f"if not 0 <= {source} < {1 << width}: raise _unfit(self, {one.name!r}, {source})")
            terms.append(f"{source} << {left}" if left else source)
            self.known.append(one.name)
        value = " | ".join(terms)
        code = _WORD_CODES.get(octets)
        if code:
            self._fixed(word, code, octets, "" if octets == 1 else ">", value)
        else:
            self._after.insert(0, f"{word} = int.from_bytes({word}, 'big')")
            self._fixed(word, f"{octets}s", octets, "", f"({value}).to_bytes({octets}, 'big')")

    def _close(self) -> None:
        """End the group of fixed size that is open."""
        if not self._codes:
            return
        order = self._order or ">"
        fixed, apart = struct.Struct(order + "".join(self._codes)), struct.Struct(order + "".join(self._apart))
        k = self._groups
        self._groups += 1
        self.scope |= {f"_unpack{k}": fixed.unpack_from, f"_pack{k}": apart.pack}
        start = self._advance(str(fixed.size))
        self.decode += [
            "if _at > _end: raise _truncated(_offset, _end)",
            f"{', '.join(self._targets)}, = _unpack{k}(_data, {start})",
            *self._after,
        ]
        self.parts.append(f"_pack{k}({', '.join(self._sources)})")
        self._codes, self._apart, self._targets, self._after, self._sources, self._order = [], [], [], [], [], ""

    def _advance(self, size: str) -> str:
        """Move `_at` on by so many octets; where it was."""
        if not self.decode:
            self.decode.append(f"_at = _offset + {size}")
            return "_offset"
        self.decode += ["_from = _at", f"_at += {size}"]
        return "_from"

    def _run(self, name: str, core: Any, wrapped: Value | None) -> bool:
        if core is c.GreedyBytes:
            length = "_end - _at"
        else:
            source = expression(core.length, self.known)
            if source is None:
                return False
            length = source
        self._close()
        if not self.decode:
            self.decode.append("_at = _offset")
        self.decode += [
            f"_size = {length}",
            "_from = _at",
            "_at += _size",
            f"if _size < 0 or _at > _end: raise _short(_offset, {name!r}, _size, _end - _from)",
        ]
        octets = "_data[_from:_at]"
        if wrapped:
            self.scope |= {f"_wrap_{name}": wrapped.wrap, f"_empty_{name}": _empty(wrapped)}
            octets = octets if name in self.lazy else f"_wrap_{name}({octets})"
            octets = f"{octets} if _size else _empty_{name}"
        self.decode.append(f"{name} = {octets}")
        self.parts.append(f"self.{self._slot(name)}")
        self.lengths.append(f"len(self.{self._slot(name)})")
        self.known.append(name)
        if not isinstance(core, Run) and core is not c.GreedyBytes:
            bound = re.sub(r"\b(" + "|".join(self.known) + r")\b", lambda m: self._source(m[1]), length)
            self.checks.append(f"if len(self.{self._slot(name)}) != {bound}: raise _unfit(self, {name!r}, self.{name})")
        return True

    def _rest(self, items: list[Item]) -> None:
        self._close()
        if not self.decode:
            self.decode.append("_at = _offset")
        fields = [one for item in items for one in (item.fields if isinstance(item, Bits) else [item])]
        names = [one.name for one in fields]
        self.scope["_rest"] = Rest(declare(items), names)
        self.decode.append(
            f"_values, _at = _rest.parse(_data, _at, _end, _offset, {{{', '.join(f'{n!r}: {n}' for n in self.known)}}})"
        )
        self.decode += [f"{name} = _values[{name!r}]" for name in names]
        self.parts.append("_rest.build(self)")
        self.lengths.append("len(_rest.build(self))")
        self.known += names

    def source(self, slots: list[str], sealable: list[str], recurs: bool) -> str:
        """The text of the functions `decode`, `pack`, `of` and `length`."""
        given = "".join(f", {name}=None" for name in sealable)
        decode, left = self._straight(slots)
        lines = ["def decode(_data, _offset, _end):"]
        if recurs:
            lines += [f" _at = _offset + {self.size}", " if _at > _end: raise _truncated(_offset, _end)"]
            lines += [" self = _known[_data[_offset:_at]]", " return self, _at", "", "def fresh(_data, _offset, _end):"]
        lines += [" self = _draft()", *(f" {line}" for line in decode), *self._filled(left), " return self, _at", ""]
        lines += [f"def of({', '.join(slots)}):", " self = _draft()", *self._filled(slots), " return self", ""]
        lines += [f"def pack(self{given}):"]
        lines += [f" if {name} is None: {name} = self.{name}" for name in sealable]
        lines += [" try:", *(f"  {line}" for line in self.checks), f"  return {' + '.join(self.parts) or repr(b'')}"]
        lines += [" except (_struct_error, TypeError, AttributeError, OverflowError) as error:"]
        lines += [f"  raise _unbuildable(self, {{{', '.join(f'{n!r}: {n}' for n in sealable)}}}, error) from None", ""]
        lines += ["def length(self):", f" return {' + '.join([str(self.size), *self.lengths])}", ""]
        for name in sorted(self.lazy):
            lines += [f"def read_{name}(self):", f" value = self._{name}"]
            lines += [f" return value if type(value) is _kind_{name} else _octets(_kind_{name}, value)", ""]
        return "\n".join(lines)

    def _filled(self, slots: list[str]) -> list[str]:
        return [*(f" self.{self._slot(n)} = {n}" for n in slots), " self.__class__ = _class"]

    def _straight(self, slots: list[str]) -> tuple[list[str], list[str]]:
        """Statements that put into `self` at once what they only mention when they make it; the slots left to be filled."""
        text = "\n".join(self.decode)
        left = []
        for name in slots:
            alone = re.compile(rf"(?<![\w.']){name}(?![\w'])")
            if len(alone.findall(text)) == 1:
                text = alone.sub(f"self.{self._slot(name)}", text)
            else:
                left.append(name)
        return text.split("\n"), left


class Known(dict[bytes, Any]):
    """octets → the value made of them; emptied when a flood of different ones fills it."""

    def __init__(self, make: Callable[[bytes], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, octets: bytes) -> Any:
        made = self._make(octets)
        if len(self) >= _KNOWN:
            self.clear()
        self[octets] = made
        return made


def waits(field: Field) -> bool:
    """Whether a parsed field stays plain octets until someone looks: they become their kind by `bytes.__new__` alone."""
    inner = bare(field.format)
    return isinstance(inner, Value) and isinstance(inner.wrap, partial) and fixed_bytes(inner) is None


def _empty(wrapped: Value) -> Any:
    return wrapped.wrap(b"")


def _bits_of(word: str, shift: int, width: int, whole: int) -> str:
    """The expression of `width` bits of a word that has `whole`."""
    shifted = f"{word} >> {shift}" if shift else word
    return shifted if shift + width == whole else f"{shifted} & {(1 << width) - 1}"


def derive(cls: Any, draft: Any, items: list[Item], slots: list[str], sealable: list[str]) -> tuple[str, int]:
    """Generate the functions of `cls` and put them on it; their text, and the size of the fixed part in octets."""
    writer = Writer(cls.__name__, items)
    text = writer.source(slots, sealable, cls.recurs)

    def truncated(offset: int, end: int) -> WireError:
        return _truncation(cls, offset, end)

    def short(offset: int, name: str, size: int, room: int) -> WireError:
        return WireError(f"{cls.__name__}.{name}", offset, f"{size} octets expected, {room} there")

    def unfit(self: Any, name: str, value: Any) -> WireError:
        return WireError(f"{cls.__name__}.{name}", None, f"{value!r} does not fit")

    scope = writer.scope | {
        "_class": cls, "_draft": draft,
        "_truncated": truncated, "_short": short, "_unfit": unfit, "_unbuildable": _unbuildable,
    }  # fmt: skip
    place = f"<derived {cls.__module__}.{cls.__qualname__}>"
    exec(compile(text, place, "exec"), scope)
    if cls.recurs:
        scope["_known"] = cls.known = Known(lambda octets: scope["fresh"](octets, 0, len(octets))[0])
    linecache.cache[place] = (len(text), None, text.splitlines(True), place)
    cls.decode = staticmethod(scope["decode"])
    cls.of = staticmethod(scope["of"])
    cls.pack = scope["pack"]
    cls.__len__ = scope["length"]
    for name in writer.lazy:
        setattr(cls, name, property(scope[f"read_{name}"], doc=cls.fields[name].doc or None))
    return text, writer.size


def _truncation(cls: Any, offset: int, end: int) -> WireError:
    """Which field a cut header ends in."""
    octets = 0
    for one in cls.fields.values():
        octets += one.bits or 0
        if octets > 8 * (end - offset):
            return WireError(f"{cls.__name__}.{one.name}", offset, f"truncated: {end - offset} octets are there")
    return WireError(cls.__name__, offset, f"truncated: {end - offset} octets are there")


def _unbuildable(self: Any, given: dict[str, Any], error: Exception) -> WireError:
    """Which value kept a header from being built."""
    for name, one in type(self).fields.items():
        value = given.get(name, getattr(self, name))
        try:
            one.check(value)
        except WireError as reason:
            return WireError(f"{type(self).__name__}.{name}", None, reason.reason)
        if one.sealable and value is one.default:
            return WireError(f"{type(self).__name__}.{name}", None, "Sealed, and nothing around it says its value")
    return WireError(type(self).__name__, None, str(error))
