"""Runs `%{ … }%`: statements of Python over names such as tcpi_cwnd, walked as a syntax tree, never executed (packetdrill's code.c)."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping, MutableMapping

from stack.testing.drill.code_expressions import Expressions, Module
from stack.testing.drill.code_values import FUNCTIONS, MODULES, Value
from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.place import NOWHERE, Place, ScriptError

_PRINT = re.compile(r"^(\s*)print[ \t]+(?![(=])([^\n;]+)", re.MULTILINE)  # Python 2's, which older scripts are for


class CodeMismatch(Mismatch):
    """An assertion that does not hold; `seen` are the values of its names."""

    def __init__(self, place: Place, test: str, message: str, seen: Mapping[str, Value]) -> None:
        reason = "an assertion does not hold" + (f": {message}" if message else "")
        super().__init__(reason, test, ", ".join(f"{name} = {value}" for name, value in seen.items()), place)
        self.seen = dict(seen)


class _Leave(Exception):
    """`break`, `continue`, `return`: what they leave says who catches it."""

    def __init__(self, value: Value = None) -> None:
        super().__init__()
        self.value = value


class _Break(_Leave):
    pass


class _Continue(_Leave):
    pass


class _Return(_Leave):
    pass


def run_code(
    text: str, names: Mapping[str, Value], variables: MutableMapping[str, Value] | None = None, place: Place = NOWHERE
) -> list[str]:
    """Run the statements of a block; return what it printed.

    `names` are what can be read, a field of TCP_INFO each or a constant; `variables` what the blocks of a script have
    assigned so far, functions among them, and this one adds to. Raises CodeMismatch where an assertion does not hold;
    ScriptError, with the line, where something is not among what blocks can do.
    """
    tree, lead = _parsed(text, place)
    block = _Block(names, {} if variables is None else variables, place, lead)
    try:
        block.run(tree.body)
    except RecursionError:
        raise ScriptError(place, "code is nested too deep") from None
    except _Leave:
        raise ScriptError(place, "in code: break, continue or return, and nothing to leave") from None
    return block.printed


def _parsed(text: str, place: Place) -> tuple[ast.Module, int]:
    """The tree, and how many lines are before its first. White space around a block is none of its own."""
    lead = len(text) - len(text.lstrip())
    lines = text[:lead].count("\n")
    begun = text.strip()
    indented = textwrap.dedent(text[text.rfind("\n", 0, lead) + 1 :].rstrip())  # all lines as far in as the first
    problem: Exception | None = None
    for source in (begun, indented, _PRINT.sub(r"\1print(\2)", begun), _PRINT.sub(r"\1print(\2)", indented)):
        try:
            return ast.parse(source, place.file), lines
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            problem = problem or error
    raise ScriptError(place, f"code is not Python: {getattr(problem, 'msg', problem)}") from None


class _Block(Expressions):
    """The statements of one block."""

    def __init__(self, names: Mapping[str, Value], variables: MutableMapping[str, Value], place: Place, lead: int) -> None:
        super().__init__(names, variables, place, lead)
        self.printed: list[str] = []

    def run(self, body: list[ast.stmt]) -> None:
        """Statements, in order."""
        for statement in body:
            self.spend(statement)
            self.statement(statement)

    def body(self, statements: list[ast.stmt]) -> Value:
        try:
            self.run(statements)
        except _Return as left:
            return left.value
        return None

    def statement(self, statement: ast.stmt) -> None:
        """One statement."""
        match statement:
            case ast.Assert(test, message):
                if not self.value(test):
                    said = "" if message is None else str(self.value(message))
                    raise CodeMismatch(self.at(statement), ast.unparse(test), said, self.seen(test))
            case ast.Assign(targets, value):
                result = self.value(value)
                for target in targets:
                    self.assign(target, result)
            case ast.AugAssign(target, op, value) if isinstance(target, ast.Name | ast.Subscript):
                old = self.value(target)
                self.assign(target, self.binary(statement, op, old, self.value(value)))
            case ast.If(test, then, otherwise):
                self.run(then if self.value(test) else otherwise)
            case ast.For() | ast.While():
                self.loop(statement)
            case ast.Expr(ast.Call(ast.Name("print"), arguments, keywords)) if {one.arg for one in keywords} <= {"end", "sep", "flush"}:
                self.named(keywords)
                shown = self.guard(statement, lambda values: [str(one) for one in values], self.items(arguments))
                self.printed.append(" ".join(shown))
            case ast.Expr(value):
                self.value(value)
            case ast.Pass():
                pass
            case _:
                self.definition(statement)

    def definition(self, statement: ast.stmt) -> None:
        """Functions, modules, and the ways out of loops and functions."""
        match statement:
            case ast.FunctionDef(name, arguments, body, []):
                self.scope.set(name, self.function(statement, name, arguments, body))
            case ast.Return(value):
                raise _Return(None if value is None else self.value(value))
            case ast.Break():
                raise _Break
            case ast.Continue():
                raise _Continue
            case ast.Import(modules):
                for module in modules:
                    self.imported(statement, module.name, module.asname)
            case ast.ImportFrom(name, members, 0) if name == "__future__" or name in MODULES:
                for member in members if name in MODULES and name is not None else ():
                    if member.name not in MODULES[name]:
                        raise self.refuse(statement)
                    self.scope.set(member.asname or member.name, MODULES[name][member.name])
            case ast.Global(shared):
                self.scope.shared.update(shared)
            case ast.Delete(targets) if all(isinstance(one, ast.Name) and one.id in self.scope.own for one in targets):
                for one in targets:
                    self.scope.own.pop(ast.unparse(one), None)
            case ast.Raise(ast.Call(ast.Name(name), arguments, [])) if name.endswith(("Error", "Exception")):
                said = ", ".join(str(one) for one in self.items(arguments))
                raise CodeMismatch(self.at(statement), f"no {name}", said, {})
            case _:
                raise self.refuse(statement)

    def imported(self, statement: ast.stmt, name: str, known_as: str | None) -> None:
        """import"""
        if name not in MODULES:
            raise self.refuse(statement)
        self.scope.set(known_as or name, Module(name))

    def loop(self, statement: ast.For | ast.While) -> None:
        """`for` and `while`, with their `else`."""
        for _ in self.turns(statement):
            self.spend(statement)
            try:
                self.run(statement.body)
            except _Break:
                return
            except _Continue:
                continue
        self.run(statement.orelse)

    def turns(self, statement: ast.For | ast.While) -> Iterator[None]:
        """Once for each time that a loop's body runs."""
        if isinstance(statement, ast.While):
            while self.value(statement.test):
                yield
            return
        for one in self.each(statement, self.value(statement.iter)):
            self.assign(statement.target, one)
            yield

    def seen(self, test: ast.expr) -> dict[str, Value]:
        """The values of the names in an assertion that failed."""
        found = [node.id for node in ast.walk(test) if isinstance(node, ast.Name) and node.id not in FUNCTIONS]
        own = (self.scope.find(name) for name in found)
        known = [name for name, scope in zip(found, own, strict=True) if name in self.names or scope is not None]
        return {name: value for name in dict.fromkeys(known) if not callable(value := self.name(test, name))}
