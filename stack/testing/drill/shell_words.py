"""Words and operators of shell lines, with their quotes (sh(1))."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from stack.base.errors import StackError


class ShellError(StackError, ValueError):
    """Text that this reader does not understand."""


@dataclass(frozen=True, slots=True)
class Part:
    """Of a word: text as it stands, or what is put in its place: a `variable`, the output of a `command`, `arithmetic`."""

    kind: str
    text: str
    quoted: bool = False


Word: TypeAlias = tuple[Part, ...]
Token: TypeAlias = tuple[str, Word, int]  # an operator and no word, or "" and a word; file descriptor of a redirection

_OPERATOR = re.compile(r"&&|\|\||;;|&>|>>|>&|<<|[;|&<>()\n]")
_DESCRIPTOR = re.compile(r"([0-9])(?=[<>])")
_VARIABLE = re.compile(r"\$(?:\{(\w+|[?#$!])(?::-([^}]*))?\}|(\w+|[?#$!]))")


def literal(word: Word) -> str | None:
    """A word that stands there without quotes and `$`."""
    return word[0].text if len(word) == 1 and word[0].kind == "text" and not word[0].quoted else None


def tokens(text: str) -> list[Token]:
    found: list[Token] = []
    at = 0
    while at < len(text):
        if text[at] in " \t\r" or text.startswith("\\\n", at):
            at += 2 if text[at] == "\\" else 1
        elif text[at] == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        else:
            descriptor = _DESCRIPTOR.match(text, at)
            operator = _OPERATOR.match(text, descriptor.end() if descriptor else at)
            if operator is not None:
                found.append((operator[0], (), int(descriptor[1]) if descriptor else -1))
                at = operator.end()
            else:
                word, at = _word(text, at)
                found.append(("", word, -1))
    return found


def _word(text: str, at: int) -> tuple[Word, int]:
    parts: list[Part] = []
    quoted = False
    plain = ""

    def end() -> None:
        nonlocal plain
        if plain:
            parts.append(Part("text", plain, quoted))
        plain = ""

    while at < len(text):
        letter = text[at]
        if letter == '"':
            end()
            quoted = not quoted
            if not quoted and (not parts or text[at - 1] == '"'):
                parts.append(Part("text", "", True))
            at += 1
        elif letter == "\\" and at + 1 < len(text):
            kept = "\\" if quoted and text[at + 1] not in '"\\$`' else ""
            end()
            if text[at + 1] != "\n":
                parts.append(Part("text", kept + text[at + 1], True))
            at += 2
        elif letter == "$" and (dollar := _dollar(text, at, quoted)) is not None:
            end()
            parts.append(dollar[0])
            at = dollar[1]
        elif quoted:
            plain += letter
            at += 1
        elif letter == "'":
            end()
            close = text.find("'", at + 1)
            if close < 0:
                raise ShellError(f"{text.strip()!r}: no closing quotation")
            parts.append(Part("text", text[at + 1 : close], True))
            at = close + 1
        elif letter in " \t\r\n;&|<>()":
            break
        else:
            plain += letter
            at += 1
    if quoted:
        raise ShellError(f"{text.strip()!r}: no closing quotation")
    end()
    return tuple(parts), at


def _dollar(text: str, at: int, quoted: bool) -> tuple[Part, int] | None:
    """`$((…))`, `$(…)`, `$name`, `${name}`, `${name:-otherwise}`."""
    if text.startswith("$((", at):
        close = text.find("))", at)
        if close > 0:
            return Part("arithmetic", text[at + 3 : close], quoted), close + 2
    if text.startswith("$(", at):
        close = _closing(text, at + 1)
        return Part("command", text[at + 2 : close], quoted), close + 1
    found = _VARIABLE.match(text, at)
    if found is None:
        return None
    name = found[1] or found[3]
    return Part("variable", name if found[2] is None else f"{name}:-{found[2]}", quoted), found.end()


def _closing(text: str, at: int) -> int:
    """Where the bracket closes that opens here."""
    depth = 0
    quote = ""
    for place in range(at, len(text)):
        letter = text[place]
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        else:
            depth += (letter == "(") - (letter == ")")
            if not depth:
                return place
    raise ShellError(f"{text.strip()!r}: '$(' and no ')'")
