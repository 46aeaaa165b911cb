"""Evaluates `%{ … }%`: a few statements of Python over names such as tcpi_cwnd, walked as a syntax tree, never executed."""

from __future__ import annotations

import ast
import operator
import re
import textwrap
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, TypeAlias

from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.place import NOWHERE, Place, ScriptError

Value: TypeAlias = Any  # a number, a text, a boolean, None, or a tuple of such

BINARY: dict[type[ast.operator], Callable[[Value, Value], Value]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.BitAnd: operator.and_, ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}  # fmt: skip
SHIFTS: dict[type[ast.operator], Callable[[int, int], int]] = {ast.LShift: operator.lshift, ast.RShift: operator.rshift}
UNARY: dict[type[ast.unaryop], Callable[[Value], Value]] = {
    ast.Not: operator.not_, ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert,
}  # fmt: skip
COMPARE: dict[type[ast.cmpop], Callable[[Value, Value], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda one, many: one in many, ast.NotIn: lambda one, many: one not in many,
}  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Value]] = {
    "min": min, "max": max, "abs": abs, "int": int, "len": len, "bool": bool, "str": str,
}  # fmt: skip
LARGEST = 2**128  # numbers and texts stay small: a script cannot make the runner busy for long
LONGEST = 10_000
WIDE = re.compile(r"%[^a-zA-Z%]*(?:\*|[0-9]{4})")  # a format that would make a text of thousands of letters


class CodeMismatch(Mismatch):
    """An assertion that does not hold; `seen` are the values of its names."""

    def __init__(self, place: Place, test: str, message: str, seen: Mapping[str, Value]) -> None:
        reason = "an assertion does not hold" + (f": {message}" if message else "")
        super().__init__(reason, test, ", ".join(f"{name} = {value}" for name, value in seen.items()), place)
        self.seen = dict(seen)


def run_code(
    text: str, names: Mapping[str, Value], variables: MutableMapping[str, Value] | None = None, place: Place = NOWHERE
) -> list[str]:
    """Run the statements of a block; return what it printed.

    `names` are what can be read, a field of TCP_INFO each or a constant; `variables` what the blocks of a script have
    assigned so far, and this one adds to. Raises CodeMismatch where an assertion does not hold; ScriptError, with the
    line, where something is not among what blocks can do.
    """
    source = textwrap.dedent(text)
    if "\n" not in source.strip():
        source = source.strip()
    try:
        tree = ast.parse(source.strip("\n"), place.file)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ScriptError(place, f"code is not Python: {getattr(error, 'msg', error)}") from None
    lead = len(source) - len(source.lstrip("\n"))
    block = _Block(names, {} if variables is None else variables, place, lead)
    try:
        block.run(tree.body)
    except RecursionError:
        raise ScriptError(place, "code is nested too deep") from None
    return block.printed


class _Block:
    """The statements of one block, and what they see."""

    def __init__(self, names: Mapping[str, Value], variables: MutableMapping[str, Value], place: Place, lead: int) -> None:
        self.names = names
        self.variables = variables
        self.place = place
        self.lead = lead
        self.printed: list[str] = []

    def at(self, node: ast.AST) -> Place:
        """Where a node stands in the script."""
        line = self.place.line + self.lead + getattr(node, "lineno", 1) - 1
        return Place(self.place.file, line, self.place.column if line == self.place.line else 1)

    def refuse(self, node: ast.AST) -> ScriptError:
        """What blocks cannot do."""
        try:
            shown = ast.unparse(node)
        except (ValueError, RecursionError):
            shown = type(node).__name__
        return ScriptError(self.at(node), f"not possible in code: {shown[:80]!r}")

    def run(self, body: list[ast.stmt]) -> None:
        """Statements, in order."""
        for statement in body:
            match statement:
                case ast.Assert(test, message):
                    if not self.value(test):
                        said = "" if message is None else str(self.value(message))
                        raise CodeMismatch(self.at(statement), ast.unparse(test), said, self.seen(test))
                case ast.Assign([ast.Name(name)], value):
                    self.variables[name] = self.value(value)
                case ast.AugAssign(ast.Name(name), op, value):
                    self.variables[name] = self.binary(statement, op, self.name(statement, name), self.value(value))
                case ast.If(test, then, otherwise):
                    self.run(then if self.value(test) else otherwise)
                case ast.Expr(ast.Call(ast.Name("print"), arguments, [])):
                    self.printed.append(" ".join(str(self.value(one)) for one in arguments))
                case ast.Expr(value):
                    self.value(value)
                case ast.Pass():
                    pass
                case _:
                    raise self.refuse(statement)

    def seen(self, test: ast.expr) -> dict[str, Value]:
        """The values of the names in an assertion that failed."""
        found = [node.id for node in ast.walk(test) if isinstance(node, ast.Name) and node.id not in FUNCTIONS]
        return {name: self.name(test, name) for name in dict.fromkeys(found)}

    def name(self, node: ast.AST, name: str) -> Value:
        """What a name means."""
        if name in self.variables:
            return self.variables[name]
        if name in self.names:
            return self.names[name]
        raise ScriptError(self.at(node), f"unknown name in code: {name}")

    def value(self, node: ast.expr) -> Value:
        """The value of an expression."""
        match node:
            case ast.Constant(value) if value is None or isinstance(value, bool | int | float | str):
                return value
            case ast.Name(name):
                return self.name(node, name)
            case ast.BoolOp(op, values):
                result: Value = None
                for one in values:
                    result = self.value(one)
                    if bool(result) is isinstance(op, ast.Or):
                        break
                return result
            case ast.UnaryOp(op, operand):
                return self.guard(node, UNARY[type(op)], self.value(operand))
            case ast.BinOp(left, op, right):
                return self.binary(node, op, self.value(left), self.value(right))
            case ast.IfExp(test, then, otherwise):
                return self.value(then if self.value(test) else otherwise)
            case ast.Tuple(items) | ast.List(items):
                return tuple(self.value(one) for one in items)
            case ast.Compare():
                return self.compare(node)
            case ast.Call(ast.Name(name), arguments, []) if name in FUNCTIONS:
                return self.guard(node, FUNCTIONS[name], *map(self.value, arguments))
            case ast.JoinedStr(parts):
                return "".join(str(self.value(one)) for one in parts)
            case ast.FormattedValue(value, -1, None):
                return self.value(value)
        raise self.refuse(node)

    def compare(self, node: ast.Compare) -> bool:
        """`a <= b <= c`"""
        left = self.value(node.left)
        for op, following in zip(node.ops, node.comparators, strict=True):
            right = self.value(following)
            if not self.guard(node, COMPARE[type(op)], left, right):
                return False
            left = right
        return True

    def binary(self, node: ast.AST, op: ast.operator, left: Value, right: Value) -> Value:
        """Arithmetic, whose results stay small."""
        if type(op) in SHIFTS and isinstance(left, int) and isinstance(right, int) and 0 <= right <= 128:
            return self.guard(node, SHIFTS[type(op)], left, right)
        if type(op) is ast.Pow and isinstance(left, int) and isinstance(right, int) and abs(left) <= 1024 and 0 <= right <= 12:
            return self.guard(node, operator.pow, left, right)
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if type(op) not in BINARY or (isinstance(op, ast.Mult) and not numbers):
            raise self.refuse(node)
        if isinstance(op, ast.Mod) and isinstance(left, str) and WIDE.search(left):
            raise self.refuse(node)
        return self.guard(node, BINARY[type(op)], left, right)

    def guard(self, node: ast.AST, function: Callable[..., Value], *values: Value) -> Value:
        """Call a function; its errors are the script's."""
        try:
            result = function(*values)
        except (ArithmeticError, TypeError, ValueError) as error:
            raise ScriptError(self.at(node), f"in code: {error}") from None
        too_long = isinstance(result, str | tuple) and len(result) > LONGEST
        if too_long or (isinstance(result, int) and abs(result) > LARGEST):
            raise ScriptError(self.at(node), "in code: the result is too large")
        return result
