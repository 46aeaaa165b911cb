"""The arguments of a system call as values: what a script's expressions mean to the one who runs it."""

from __future__ import annotations

import errno
import os
from typing import NoReturn

from stack.testing.drill import symbols
from stack.testing.drill.expression_printer import show_expression
from stack.testing.drill.expressions import (
    Address,
    Anything,
    Array,
    Assign,
    Expression,
    Integer,
    IOVector,
    Or,
    SocketAddress,
    String,
    Word,
)
from stack.testing.drill.profile import Profile
from stack.testing.drill.script import ScriptError, Syscall


class Arguments:
    """The arguments of one call, read one by one; a `ScriptError` says what was expected where."""

    def __init__(self, call: Syscall) -> None:
        self.name = call.name
        self.given = call.arguments
        self.place = call.place
        #: The result that the script expects, if it is a number: the number of a new file is what the script calls it.
        self.number_expected = integer(call.result)

    def __len__(self) -> int:
        return len(self.given)

    def expect(self, least: int, most: int | None = None) -> None:
        """Raise unless there are so many."""
        most = least if most is None else most
        if not least <= len(self.given) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            raise ScriptError(self.place, f"{self.name}() has {len(self.given)} arguments; expected {wanted}")

    def __getitem__(self, index: int) -> Expression:
        if index >= len(self.given):
            raise ScriptError(self.place, f"{self.name}() has {len(self.given)} arguments; expected {index + 1} at least")
        return self.given[index]

    def fail(self, expected: str, found: Expression) -> NoReturn:
        """Say what was expected."""
        raise ScriptError(found.place or self.place, f"{self.name}(): expected {expected}, found {show_expression(found)}")

    def integer(self, index: int) -> int:
        """A number, or a name for one, or several joined by `|`."""
        return self.number(self[index])

    def number(self, expression: Expression) -> int:
        """As `integer`, of any expression."""
        found = integer(expression)
        if found is None:
            self.fail("a number", expression)
        return found

    def pointed(self, index: int) -> Expression | None:
        """What stands alone between brackets, `[1]`; None for `...` and NULL."""
        given = self[index]
        if isinstance(given, Anything) or (isinstance(given, Word) and given.name == "NULL"):
            return None
        if not isinstance(given, Array) or len(given.items) != 1:
            self.fail("one value in brackets", given)
        return given.items[0]

    def array(self, index: int) -> tuple[Expression, ...]:
        """What stands between brackets."""
        given = self[index]
        if not isinstance(given, Array):
            self.fail("values in brackets", given)
        return given.items

    def octets(self, index: int, size: int) -> bytes:
        """A buffer of `size` octets that is sent: zeros for `...`."""
        return buffer(self[index], size)


def integer(expression: Expression | None) -> int | None:
    """The number that an expression stands for, or None."""
    match expression:
        case Integer():
            return expression.value
        case Word():
            return symbols.number(expression.name)
        case Or():
            left, right = integer(expression.left), integer(expression.right)
            return None if left is None or right is None else left | right
        case Assign():
            return integer(expression.value)
    return None


def buffer(expression: Expression, size: int) -> bytes:
    """What is sent: a text's octets, or zeros. A number is an address where nothing is: EFAULT."""
    if size and nowhere(expression):
        raise OSError(errno.EFAULT, os.strerror(errno.EFAULT))
    text = expression.value.encode("latin-1", "replace") if isinstance(expression, String) else b""
    return text[:size].ljust(size, b"\0")


def nowhere(expression: Expression) -> bool:
    """An address where no buffer is: NULL, or a number."""
    return isinstance(expression, Integer) or (isinstance(expression, Word) and expression.name == "NULL")


def vectors(expression: Expression, arguments: Arguments) -> list[IOVector]:
    """`[{..., 500}, {..., 1000}]`"""
    if not isinstance(expression, Array):
        arguments.fail("an array of struct iovec", expression)
    found = []
    for item in expression.items:
        if not isinstance(item, IOVector):
            arguments.fail("a struct iovec, {..., length}", item)
        found.append(item)
    return found


def socket_address(expression: Expression, profile: Profile, arguments: Arguments, local: bool) -> tuple[str, int] | None:
    """An address for `bind` (`local`) or `connect`: of the profile where the script says `...`; None for NULL."""
    own, port = (profile.local, profile.bind_port) if local else (profile.remote, profile.connect_port)
    host = f"::ffff:{own}" if profile.mapped else str(own)
    match expression:
        case Anything():
            return host, port
        case SocketAddress(_, said_port, address):
            if isinstance(address, Address):
                mapped = profile.mapped and address.version == 4
                host = f"::ffff:{address.text}" if mapped else address.text
            return host, port if said_port is None else said_port
        case Word(name="NULL") | Integer(value=0):
            return None
    arguments.fail("an address", expression)
