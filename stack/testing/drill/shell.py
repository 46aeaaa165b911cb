"""A small reader of shell text: what the back-quoted lines of scripts say, as words. Nothing is ever executed."""

from __future__ import annotations

import ast
import operator
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from stack.base.errors import StackError


class ShellError(StackError, ValueError):
    """Text that this reader does not understand."""


@dataclass(frozen=True, slots=True)
class Simple:
    """One command: its words, and the file that its output goes to (`> /proc/sys/…`), or None."""

    words: tuple[str, ...]
    target: str | None = None

    def __str__(self) -> str:
        return " ".join(self.words) + (f" > {self.target}" if self.target else "")


Pipeline = tuple[Simple, ...]

_ARITHMETIC = re.compile(r"\$\(\((.*?)\)\)", re.DOTALL)
_ERRORS = re.compile(r"(?<!\S)2>\s*(?:&\s*1|\S+)")  # nothing is run that could complain
_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv,
    ast.Div: operator.floordiv, ast.Mod: operator.mod, ast.LShift: operator.lshift, ast.RShift: operator.rshift,
    ast.BitOr: operator.or_, ast.BitAnd: operator.and_, ast.BitXor: operator.xor,
}  # fmt: skip
_LARGEST = 1 << 63
_PUNCTUATION = {";", "|", "&&", "||", "&", ">", ">>", "<", "(", ")"}


def read(text: str) -> list[Pipeline]:
    """The pipelines of a text, in order. Raises `ShellError`."""
    found: list[Pipeline] = []
    expanded = _ARITHMETIC.sub(lambda match: str(_evaluate(match[1])), re.sub(r"\\\s*\n", " ", text))
    for line in expanded.splitlines():
        found.extend(_line(line))
    return found


def _evaluate(text: str) -> int:
    """`600*1024`: shell arithmetic over numbers."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        raise ShellError(f"$(({text})) is no arithmetic over numbers") from None

    def value(node: ast.AST, depth: int = 0) -> int:
        if depth < 32:
            if isinstance(node, ast.Constant) and type(node.value) is int:
                return node.value
            if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
                return -value(node.operand, depth + 1)
            if isinstance(node, ast.BinOp) and (function := _OPERATORS.get(type(node.op))) is not None:
                left, right = value(node.left, depth + 1), value(node.right, depth + 1)
                if function not in (operator.lshift, operator.rshift) or 0 <= right < 64:
                    try:
                        result = function(left, right)
                    except ZeroDivisionError:
                        raise ShellError(f"$(({text})) divides by zero") from None
                    if abs(result) < _LARGEST:
                        return result
        raise ShellError(f"$(({text})) is no arithmetic over numbers")

    return value(tree)


def _line(line: str) -> list[Pipeline]:
    lexer = shlex.shlex(_ERRORS.sub("", line), posix=True, punctuation_chars=";|&<>()")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        tokens = list(lexer)
    except ValueError as trouble:
        raise ShellError(f"{line.strip()!r}: {trouble}") from None
    pipelines: list[Pipeline] = []
    commands: list[Simple] = []
    words: list[str] = []
    target: str | None = None

    def end() -> None:
        nonlocal words, target
        if words or target:
            commands.append(Simple(tuple(words), target))
        words, target = [], None

    stream = iter(tokens)
    for token in stream:
        if token not in _PUNCTUATION:
            words.append(token)
        elif token in (">", ">>"):
            name = next(stream, None)
            if name is None:
                raise ShellError(f"{line.strip()!r}: '>' and no file")
            if name != "/dev/null":
                target = name
        elif token == "|":
            end()
        elif token in (";", "&&", "||", "&"):
            end()
            if commands:
                pipelines.append(tuple(commands))
                commands = []
        else:
            raise ShellError(f"{line.strip()!r}: '{token}' is not read by this shell")
    end()
    if commands:
        pipelines.append(tuple(commands))
    return pipelines
