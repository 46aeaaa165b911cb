"""The expressions of `%{ … }%`: Python's, walked as a syntax tree over values that stay small; each step is counted."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass

from stack.testing.drill.code_values import (
    CALLED,
    FUNCTIONS,
    METHODS,
    MODULES,
    Refused,
    Value,
    contains,
    formatted,
    length,
    measure,
    percent,
    power,
    times,
)
from stack.testing.drill.place import Place, ScriptError

BINARY: dict[type[ast.operator], Callable[[Value, Value], Value]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: times, ast.Div: operator.truediv, ast.Pow: power,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.BitAnd: operator.and_, ast.BitOr: operator.or_,
    ast.BitXor: operator.xor, ast.LShift: operator.lshift, ast.RShift: operator.rshift,
}  # fmt: skip
UNARY: dict[type[ast.unaryop], Callable[[Value], Value]] = {
    ast.Not: operator.not_, ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert,
}  # fmt: skip
COMPARE: dict[type[ast.cmpop], Callable[[Value, Value], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: contains, ast.NotIn: lambda one, many: not contains(one, many),
}  # fmt: skip
STEPS = 200_000  # of one block
DEEPEST = 40  # calls of the script's functions in one another
_CONVERSIONS: dict[int, Callable[[Value], Value]] = {-1: lambda value: value, ord("s"): str, ord("r"): repr}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Module:
    """What `import math` gives a name for."""

    name: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Defined:
    """A function of the script: `def`, or `lambda`."""

    name: str
    parameters: tuple[str, ...]
    defaults: Mapping[str, Value]
    body: list[ast.stmt]
    scope: Scope


class Scope:
    """The variables of a block or of a call, over those around it."""

    def __init__(self, own: MutableMapping[str, Value], around: Scope | None = None) -> None:
        self.own = own
        self.around = around
        self.shared: set[str] = set()  # said to be `global`

    def find(self, name: str) -> MutableMapping[str, Value] | None:
        """The variables among which this one is."""
        if name in self.own:
            return self.own
        return self.around.find(name) if self.around is not None else None

    def set(self, name: str, value: Value) -> None:
        """Assign."""
        if name in self.shared and self.around is not None:
            self.around.set(name, value)
        else:
            self.own[name] = value


class Expressions:
    """Evaluates expressions in a scope. `names` are what can be read besides: TCP_INFO's fields, constants."""

    def __init__(self, names: Mapping[str, Value], variables: MutableMapping[str, Value], place: Place, lead: int) -> None:
        self.names = names
        self.scope = Scope(variables)
        self.place = place
        self.lead = lead
        self.steps = 0
        self.depth = 0

    # Errors, and their places

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

    def spend(self, node: ast.AST, steps: int = 1) -> None:
        """Count; a block that takes too many steps fails."""
        self.steps += steps
        if self.steps > STEPS:
            raise ScriptError(self.at(node), f"in code: more than {STEPS} steps")

    def guard(self, node: ast.AST, function: Callable[..., Value], *values: Value, **named: Value) -> Value:
        """Call a function; its errors are the script's, and its result is small."""
        try:
            result = function(*values, **named)
            size = measure(result)
        except (ArithmeticError, TypeError, ValueError, LookupError, Refused) as error:
            said = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise ScriptError(self.at(node), f"in code: {said}") from None
        self.spend(node, size)
        return result

    # Values

    def name(self, node: ast.AST, name: str) -> Value:
        """What a name means."""
        found = self.scope.find(name)
        if found is not None:
            return found[name]
        if name in self.names:
            return self.names[name]
        if name in FUNCTIONS:
            return FUNCTIONS[name]
        raise ScriptError(self.at(node), f"unknown name in code: {name}")

    def value(self, node: ast.expr) -> Value:
        """The value of an expression."""
        self.spend(node)
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
            case ast.Compare():
                return self.compare(node)
            case ast.Tuple(items) | ast.Set(items):  # a set serves `in`, and has an order here
                return self.guard(node, tuple, self.items(items))
            case ast.List(items):
                return self.guard(node, list, self.items(items))
            case ast.Dict(keys, values) if None not in keys:
                return self.guard(node, dict, zip(self.items([key for key in keys if key]), self.items(values), strict=True))
            case ast.ListComp(element, generators) | ast.GeneratorExp(element, generators) | ast.SetComp(element, generators):
                return self.guard(node, list, [self.value(element) for _ in self.generated(generators)])
            case ast.DictComp(key, element, generators):
                return self.guard(node, dict, [(self.value(key), self.value(element)) for _ in self.generated(generators)])
            case ast.Subscript(of, index):
                return self.guard(node, operator.getitem, self.value(of), self.index(index))
            case ast.Attribute(ast.Name(name), attribute) if isinstance(module := self._module(name), Module):
                if attribute in MODULES[module.name]:
                    return MODULES[module.name][attribute]
            case ast.Lambda(arguments, body):
                return self.function(node, "lambda", arguments, [ast.copy_location(ast.Return(body), body)])
            case ast.Call(function, arguments, keywords):
                return self.called(node, function, arguments, keywords)
            case ast.JoinedStr(parts):
                return self.guard(node, "".join, [str(self.value(one)) for one in parts])
            case ast.FormattedValue(inner, conversion, specification) if conversion in _CONVERSIONS:
                shape = "" if specification is None else str(self.value(specification))
                return self.guard(node, formatted, _CONVERSIONS[conversion](self.value(inner)), shape)
        raise self.refuse(node)

    def items(self, nodes: list[ast.expr]) -> list[Value]:
        """What stands between commas."""
        return [self.value(one) for one in nodes]

    def index(self, node: ast.expr) -> Value:
        """What stands between brackets."""
        if isinstance(node, ast.Slice):
            return slice(*(None if one is None else self.value(one) for one in (node.lower, node.upper, node.step)))
        return self.value(node)

    def _module(self, name: str) -> Value:
        found = self.scope.find(name)
        return found[name] if found is not None else None

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
        if isinstance(op, ast.LShift | ast.RShift) and not (isinstance(right, int) and 0 <= right <= 128):
            raise self.refuse(node)
        if isinstance(op, ast.Mod) and isinstance(left, str):
            return self.guard(node, percent, left, tuple(right) if isinstance(right, tuple) else right)
        if type(op) not in BINARY:
            raise self.refuse(node)
        return self.guard(node, BINARY[type(op)], left, right)

    # What goes through many

    def each(self, node: ast.AST, value: Value) -> Iterator[Value]:
        """The values in a value, each a step."""
        if not isinstance(value, list | tuple | range | str | dict):
            raise ScriptError(self.at(node), f"in code: {type(value).__name__} has no values to go through")
        for one in list(value) if isinstance(value, dict) else value:
            self.spend(node)
            yield one

    def generated(self, generators: list[ast.comprehension]) -> Iterator[None]:
        """What comes after the expression of a comprehension, whose variables are in a scope of their own."""
        outer = self.scope
        inner = self.scope = Scope({}, outer)
        try:
            for _ in self._generated(generators):
                self.scope = inner
                yield None
        finally:
            self.scope = outer

    def _generated(self, generators: list[ast.comprehension]) -> Iterator[None]:
        if not generators:
            yield None
            return
        first, *rest = generators
        for one in self.each(first.iter, self.value(first.iter)):
            self.assign(first.target, one)
            if all(self.value(test) for test in first.ifs):
                yield from self._generated(rest)

    def assign(self, target: ast.expr, value: Value) -> None:
        """`a = …`, `a, b = …`, `a[0] = …`"""
        match target:
            case ast.Name(name) if name not in ("__builtins__",):
                self.scope.set(name, value)
            case ast.Tuple(targets) | ast.List(targets):
                values = list(self.each(target, value))
                if len(values) != len(targets):
                    raise ScriptError(self.at(target), f"in code: {len(values)} values for {len(targets)} names")
                for one, item in zip(targets, values, strict=True):
                    self.assign(one, item)
            case ast.Subscript(of, index) if not isinstance(index, ast.Slice):
                held = self.value(of)
                self.guard(target, operator.setitem, held, self.value(index), value)
                self.guard(target, lambda: held)  # it is still small
            case _:
                raise self.refuse(target)

    # Calls

    def called(self, node: ast.Call, function: ast.expr, arguments: list[ast.expr], keywords: list[ast.keyword]) -> Value:
        """A function or a method, of those that there are."""
        if any(isinstance(one, ast.Starred) for one in arguments) or any(one.arg is None for one in keywords):
            raise self.refuse(node)
        if isinstance(function, ast.Attribute) and not (isinstance(function.value, ast.Name) and isinstance(self._module(function.value.id), Module)):
            held = self.value(function.value)
            method = METHODS.get(type(held), {}).get(function.attr)
            if method is None:
                raise self.refuse(node)
            result = self.guard(node, method, held, *self.counted(node, arguments), **self.named(keywords))
            self.guard(node, lambda: held)  # it is still small
            return result
        try:
            target = self.value(function)
        except ScriptError as error:
            raise (self.refuse(node) if "unknown name" in error.reason else error) from None
        values, named = self.counted(node, arguments), self.named(keywords)
        if isinstance(target, Defined):
            return self.apply(node, target, values, named)
        if not callable(target) or target not in CALLED:
            raise self.refuse(node)
        return self.guard(node, target, *values, **named)

    def counted(self, node: ast.AST, arguments: list[ast.expr]) -> list[Value]:
        """Arguments, of which a function may go through all that is in them."""
        values = self.items(arguments)
        for one in values:
            self.spend(node, length(one, STEPS + 1))
        return values

    def named(self, keywords: list[ast.keyword]) -> dict[str, Value]:
        """`name=value`"""
        return {one.arg: self.value(one.value) for one in keywords if one.arg is not None}

    def function(self, node: ast.AST, name: str, arguments: ast.arguments, body: list[ast.stmt]) -> Defined:
        """A function of the script, with parameters by position or name."""
        if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs:
            raise self.refuse(node)
        parameters = tuple(one.arg for one in arguments.args)
        last = parameters[len(parameters) - len(arguments.defaults) :]
        return Defined(name, parameters, dict(zip(last, self.items(arguments.defaults), strict=True)), body, self.scope)

    def apply(self, node: ast.AST, function: Defined, values: list[Value], named: dict[str, Value]) -> Value:
        """Call a function of the script."""
        given = dict(zip(function.parameters, values, strict=False))
        held = {**function.defaults, **given, **named}
        wrong = len(values) > len(function.parameters) or set(given) & set(named) or set(held) != set(function.parameters)
        if wrong or self.depth >= DEEPEST:
            raise ScriptError(self.at(node), f"in code: {function.name}() is called {'with other arguments than it has' if wrong else 'too deep'}")
        caller = self.scope
        self.scope, self.depth = Scope(held, function.scope), self.depth + 1
        try:
            return self.body(function.body)
        finally:
            self.scope, self.depth = caller, self.depth - 1

    def body(self, statements: list[ast.stmt]) -> Value:
        """The statements of a function: what it returns."""
        raise NotImplementedError
