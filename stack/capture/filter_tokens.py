"""The words of a display filter (Wireshark's user's guide, section 6.4; `man wireshark-filter`)."""

from __future__ import annotations

import re
from typing import NamedTuple

from stack.capture.error import FilterError

COMPARISONS = {
    "==": "==", "eq": "==", "any_eq": "==", "===": "===", "all_eq": "===",
    "!=": "!=", "ne": "!=", "all_ne": "!=", "!==": "!==", "~=": "!==", "any_ne": "!==",
    ">": ">", "gt": ">", "<": "<", "lt": "<", ">=": ">=", "ge": ">=", "<=": "<=", "le": "<=",
    "contains": "contains", "matches": "matches", "~": "matches", "in": "in",
}  # fmt: skip
LOGIC = {"and": "and", "&&": "and", "or": "or", "||": "or", "not": "not", "!": "not"}
_SIGNS = ("===", "!==", "==", "!=", "~=", ">=", "<=", "&&", "||", ">", "<", "!", "~", "&", "(", ")", "{", "}", ",")
_WORD = re.compile(r"-?[\w.:/]+(?:-[\w.:/]+)*")
_STRING = re.compile(r'(r?)"((?:[^"\\]|\\.)*)"', re.DOTALL)
_SLICE = re.compile(r"\[([^\]]*)\]")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


class Token(NamedTuple):
    """`kind` is "word", "text" (quoted), "character", "slice", "end", or the sign itself."""

    kind: str
    text: str
    position: int


def tokens(expression: str) -> list[Token]:
    """The tokens of an expression, the last of kind "end"; raises `FilterError`."""
    found: list[Token] = []
    position = 0
    while position < len(expression):
        letter = expression[position]
        if letter.isspace():
            position += 1
            continue
        token, position = _next(expression, position)
        found.append(token)
    found.append(Token("end", "", len(expression)))
    return found


def _next(expression: str, position: int) -> tuple[Token, int]:
    """(the token at `position`, where it ends)"""
    if match := _STRING.match(expression, position):
        text = match[2] if match[1] else _ESCAPE.sub(_unescape, match[2])
        return Token("text", text, position), match.end()
    if match := re.compile(r"'(\\.[^']*|[^'\\])'").match(expression, position):
        return Token("character", _ESCAPE.sub(_unescape, match[1]), position), match.end()
    if match := _SLICE.match(expression, position):
        return Token("slice", match[1], position), match.end()
    for sign in _SIGNS:
        if expression.startswith(sign, position):
            kind = LOGIC.get(sign) or ("comparison" if sign in COMPARISONS else sign)
            return Token(kind, sign, position), position + len(sign)
    if match := _WORD.match(expression, position):
        word = match[0]
        kind = LOGIC.get(word) or ("comparison" if word in COMPARISONS else "word")
        return Token(kind, word, position), match.end()
    what = 'a text that ends in "' if expression[position] == '"' else "a field, a value or an operator"
    raise FilterError(expression, position, f"expected {what}")


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] == "x" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code.isdigit() and code not in ("8", "9"):
        return chr(int(code, 8) & 0xFF)
    return _LETTERS.get(code, code)
