"""Walks through the text of a script: white space, comments, and the words of the language (packetdrill's lexer.l)."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from typing import NoReturn

from stack.testing.drill.place import Place, ScriptError

_SPACE = re.compile(r"(?:[ \t\r\n\f\v]+|//[^\n]*|/\*.*?\*/|\#[^\n]*)+", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_INTEGER = re.compile(r"-?(?:0[xX][0-9a-fA-F]+|[0-9]+)(?![A-Za-z0-9_])")
_STRING = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", '"': '"', "'": "'", "?": "?"}
_SEEN = re.compile(r"[A-Za-z0-9_.]+|\S|\Z")
_CONDITION = re.compile(r"^#(ifdef|ifndef|else|endif)\b[ \t]*(\w*)")
DIGITS = 20  # no number of a script has more
DEPTH = 40  # how deep expressions go


class Scanner:
    """A text and a position in it. What is asked for is read from there, after white space; `symbols` replace words (-D)."""

    def __init__(self, text: str, name: str, symbols: Mapping[str, str]) -> None:
        self.name = name
        self.symbols = dict(symbols)
        self.text = text
        self.at = 0
        self.depth = 0
        self._lines = [0]
        self._lines += [found.end() for found in re.finditer("\n", text)]
        self.text = self._select(text)

    def _select(self, text: str) -> str:
        """The text with what `#ifdef` and its kin leave out as blanks, so that places stay."""
        lines = text.split("\n")
        open_: list[tuple[bool, int]] = []  # whether what follows counts; the line of its #ifdef
        for number, line in enumerate(lines):
            found = _CONDITION.match(line)
            if found is None:
                if not all(counts for counts, _ in open_):
                    lines[number] = " " * len(line)
                continue
            word, symbol = found.groups()
            lines[number] = " " * len(line)
            if word in ("ifdef", "ifndef"):
                open_.append(((symbol in self.symbols) == (word == "ifdef"), number))
            elif not open_:
                raise ScriptError(Place(self.name, number + 1, 1), f"#{word} without #ifdef")
            elif word == "else":
                open_[-1] = (not open_[-1][0], open_[-1][1])
            else:
                open_.pop()
        if open_:
            raise ScriptError(Place(self.name, open_[-1][1] + 1, 1), "#ifdef without #endif")
        return "\n".join(lines)

    # Where

    def place(self) -> Place:
        """Where the next thing stands."""
        self.skip()
        line = bisect_right(self._lines, self.at)
        return Place(self.name, line, self.at - self._lines[line - 1] + 1)

    def fail(self, expected: str, place: Place | None = None) -> NoReturn:
        """Refuse what comes next; `expected` says what could be there."""
        here = self.place()
        found = _SEEN.match(self.text, self.at)
        seen = found[0][:40] if found else ""
        raise ScriptError(place or here, f"expected {expected}, found {repr(seen) if seen else 'the end of the script'}")

    def refuse(self, reason: str, place: Place) -> NoReturn:
        """Refuse what has been read."""
        raise ScriptError(place, reason)

    # What

    def skip(self) -> None:
        """Pass over white space and comments."""
        found = _SPACE.match(self.text, self.at)
        if found:
            self.at = found.end()

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What comes next, if it looks so, and go on."""
        self.skip()
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def sees(self, *texts: str) -> bool:
        """Whether one of these characters comes next."""
        self.skip()
        return self.text.startswith(texts, self.at)

    def sees_word(self, *words: str) -> bool:
        """Whether one of these words comes next."""
        self.skip()
        found = _WORD.match(self.text, self.at)
        return found is not None and found[0] in words

    def looks(self, pattern: re.Pattern[str]) -> bool:
        """Whether what comes next looks so."""
        self.skip()
        return pattern.match(self.text, self.at) is not None

    def take(self, text: str) -> bool:
        """Go on after these characters, if they come next."""
        if self.sees(text):
            self.at += len(text)
            return True
        return False

    def take_word(self, *words: str) -> str | None:
        """Go on after one of these words, if it comes next."""
        if self.sees_word(*words):
            return self.word("a word")
        return None

    def expect(self, text: str, expected: str | None = None) -> None:
        """These characters must come next."""
        if not self.take(text):
            self.fail(expected or repr(text))

    def expect_word(self, *words: str) -> str:
        """One of these words must come next."""
        return self.take_word(*words) or self.fail(" or ".join(map(repr, words)))

    def word(self, expected: str) -> str:
        """A word as it stands."""
        found = self.match(_WORD)
        return found[0] if found else self.fail(expected)

    def symbol(self, word: str) -> str:
        """What a word stands for."""
        return self.symbols.get(word, word)

    def sees_integer(self) -> bool:
        """Whether a number comes next."""
        return self.looks(_INTEGER)

    def integer(self, expected: str, low: int = 0, high: int = 0xFFFFFFFF) -> int:
        """A number in this range, or a symbol that stands for one."""
        place = self.place()
        found = self.match(_INTEGER)
        if found is None and (found_word := self.match(_WORD)):
            found = _INTEGER.fullmatch(self.symbol(found_word[0]))
            self.at = self.at if found else found_word.start()
        if found is None:
            self.fail(expected)
        if len(found[0]) > DIGITS:
            self.refuse(f"{expected}: a number of {len(found[0])} characters is too large", place)
        value = int(found[0], 16 if "x" in found[0].lower() else 10)
        if not low <= value <= high:
            self.refuse(f"{expected}: {value} is not from {low} to {high}", place)
        return value

    def string(self) -> str:
        """A text between quotes, its escapes resolved."""
        place = self.place()
        found = self.match(_STRING)
        if found is None:
            self.fail("a text between quotes")

        def resolve(escape: re.Match[str]) -> str:
            said = escape[1]
            if said[0] == "x" and len(said) == 3:
                return chr(int(said[1:], 16))
            if said[0] in "01234567":
                return chr(int(said, 8) & 255)
            return _ESCAPED.get(said) or self.refuse(f"unknown escape \\{said}", place)

        return _ESCAPE.sub(resolve, found[1])

    def nested(self) -> None:
        """One level deeper; as a script's text may be anything, there is an end to that."""
        self.depth += 1
        if self.depth > DEPTH:
            self.refuse(f"nested more than {DEPTH} deep", self.place())
