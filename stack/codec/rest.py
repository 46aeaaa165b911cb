"""The fields of a header that the deriver does not know: parsed and built by construct itself."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import construct as c

from stack.base.errors import WireError


class Rest:
    """The tail of a header, from the first field that construct must handle."""

    def __init__(self, struct: Any, names: list[str]) -> None:
        self._subcons = struct.subcons
        self._names = names

    def parse(self, data: bytes, at: int, end: int, offset: int, known: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """The values of the tail that begins at `at`, and where it ends; `known` are the fields before it."""
        stream = BytesIO(data[at:end])
        context = c.Container(known, _parsing=True, _building=False, _sizing=False, _params=c.Container(), _io=stream)
        context._root = context
        for subcon in self._subcons:
            try:
                value = subcon._parsereport(stream, context, subcon.name or "")
            except (c.ConstructError, ValueError, OverflowError, ArithmeticError, KeyError, TypeError) as error:
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                raise WireError(subcon.name or "?", offset, reason) from None
            if subcon.name:
                context[subcon.name] = value
        return {name: context[name] for name in self._names}, at + stream.tell()

    def build(self, header: Any) -> bytes:
        """The octets of the tail."""
        values = {name: getattr(header, name) for name in type(header).fields}
        stream = BytesIO()
        context = c.Container(values, _parsing=False, _building=True, _sizing=False, _params=c.Container(), _io=stream)
        context._root = context
        for subcon in self._subcons:
            try:
                built = subcon._build(context.get(subcon.name), stream, context, subcon.name or "")
            except (c.ConstructError, ValueError, OverflowError, ArithmeticError, KeyError, TypeError) as error:
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                raise WireError(f"{type(header).__name__}.{subcon.name}", None, reason) from None
            if subcon.name:
                context[subcon.name] = built
        return stream.getvalue()
