"""Reads shell lines as sh(1) does: lists, pipelines, if, for, while, case. See shell_run.py, which runs what is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from stack.testing.drill.shell_words import Part, ShellError, Token, Word, literal, tokens


@dataclass(frozen=True, slots=True)
class Simple:
    """One command as it is run: its words, what it reads."""

    words: tuple[str, ...]
    stdin: str = ""

    def __str__(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True, slots=True)
class Redirect:
    """`> file`, `2>&1`: operator, file descriptor, file."""

    operator: str
    descriptor: int
    target: Word


@dataclass(frozen=True, slots=True)
class Call:
    """A simple command before its words are expanded."""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]


@dataclass(frozen=True, slots=True)
class Pipe:
    """`[!] a | b`"""

    commands: tuple[Node, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """`a && b || c`: the first, and what follows each operator."""

    first: Pipe
    rest: tuple[tuple[str, Pipe], ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One after the other: a list, `{ … }`, `( … )`."""

    parts: tuple[Chain, ...]


@dataclass(frozen=True, slots=True)
class If:
    """Tests and what follows each, and `else`."""

    branches: tuple[tuple[Block, Block], ...]
    otherwise: Block


@dataclass(frozen=True, slots=True)
class For:
    """`for name in words; do body; done`"""

    name: str
    words: tuple[Word, ...]
    body: Block


@dataclass(frozen=True, slots=True)
class While:
    """`while test; do body; done`, `until`"""

    test: Block
    body: Block
    until: bool


@dataclass(frozen=True, slots=True)
class Case:
    """`case word in pattern|pattern) body;; esac`"""

    word: Word
    branches: tuple[tuple[tuple[Word, ...], Block], ...]


Node: TypeAlias = Call | Block | If | For | While | Case

_REDIRECTS = ("&>", ">>", ">&", ">", "<", "<<")
_NAME = re.compile(r"([A-Za-z_]\w*)=")
DEEPEST = 20


def read(text: str) -> Block:
    """The lines of a text. Raises `ShellError`."""
    reader = _Reader(tokens(text))
    block = reader.block(())
    if reader.token is not None:
        reader.fail()
    return block


class _Reader:
    """A recursive descent over tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0
        self.compound: dict[str, Callable[[], Node]] = {
            "{": self.group, "if": self.condition, "for": self.repeated, "case": self.cases,
            "while": lambda: self.loop(until=False), "until": lambda: self.loop(until=True),
        }  # fmt: skip

    @property
    def token(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    @property
    def operator(self) -> str:
        return self.token[0] if self.token is not None else ""

    @property
    def keyword(self) -> str | None:
        """A word without quotes."""
        return literal(self.token[1]) if self.token is not None and not self.token[0] else None

    def fail(self) -> NoReturn:
        token = self.token
        seen = "the end" if token is None else repr(token[0] or "".join(part.text for part in token[1]))
        raise ShellError(f"{seen} is not understood there")

    def take(self, *operators: str) -> bool:
        if self.operator and self.operator in operators:
            self.at += 1
            return True
        return False

    def expect(self, word: str) -> None:
        if self.keyword != word and self.operator != word:
            self.fail()
        self.at += 1

    def block(self, ends: tuple[str, ...]) -> Block:
        """A list, up to one of these words or operators."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise ShellError(f"nested more than {DEEPEST} deep")
        parts = []
        while True:
            while self.take(";", "&", "\n"):
                pass
            if self.token is None or self.keyword in ends or self.operator in ends:
                break
            parts.append(self.chain())
            if self.token is not None and self.operator not in (";", "&", "\n", *ends) and self.keyword not in ends:
                self.fail()
        self.depth -= 1
        return Block(tuple(parts))

    def chain(self) -> Chain:
        first = self.pipe()
        rest = []
        while self.operator in ("&&", "||"):
            operator = self.operator
            self.at += 1
            while self.take("\n"):
                pass
            rest.append((operator, self.pipe()))
        return Chain(first, tuple(rest))

    def pipe(self) -> Pipe:
        negated = self.keyword == "!"
        self.at += negated
        commands = [self.command()]
        while self.take("|"):
            while self.take("\n"):
                pass
            commands.append(self.command())
        return Pipe(tuple(commands), negated)

    def command(self) -> Node:
        word = self.keyword or ""
        made: Node
        if self.take("("):
            made = self.block((")",))
            self.expect(")")
        elif word in self.compound:
            self.at += 1
            made = self.compound[word]()
        else:
            return self.call()
        for redirect in self.redirects():
            if literal(redirect.target) not in ("/dev/null", "1", "2"):
                raise ShellError("only /dev/null takes what a group of commands prints")
        return made

    def group(self) -> Block:
        made = self.block(("}",))
        self.expect("}")
        return made

    def condition(self) -> If:
        branches = []
        otherwise = Block(())
        while True:
            test = self.block(("then",))
            self.expect("then")
            branches.append((test, self.block(("elif", "else", "fi"))))
            if self.keyword != "elif":
                break
            self.at += 1
        if self.keyword == "else":
            self.at += 1
            otherwise = self.block(("fi",))
        self.expect("fi")
        return If(tuple(branches), otherwise)

    def repeated(self) -> For:
        name = self.keyword or self.fail()
        self.at += 1
        self.expect("in")
        words = []
        while self.token is not None and not self.operator:
            words.append(self.token[1])
            self.at += 1
        return For(name, tuple(words), self.done())

    def loop(self, until: bool) -> While:
        return While(self.block(("do",)), self.done(), until)

    def done(self) -> Block:
        while self.take(";", "\n"):
            pass
        self.expect("do")
        body = self.block(("done",))
        self.expect("done")
        return body

    def cases(self) -> Case:
        if self.token is None or self.operator:
            self.fail()
        word = self.token[1]
        self.at += 1
        self.expect("in")
        branches: list[tuple[tuple[Word, ...], Block]] = []
        while True:
            while self.take("\n"):
                pass
            if self.keyword == "esac":
                break
            self.take("(")
            patterns = []
            while self.token is not None and not self.operator:
                patterns.append(self.token[1])
                self.at += 1
                self.take("|")
            self.expect(")")
            branches.append((tuple(patterns), self.block((";;", "esac"))))
            self.take(";;")
        self.expect("esac")
        return Case(word, tuple(branches))

    def redirects(self) -> list[Redirect]:
        found = []
        while self.token is not None and self.operator in _REDIRECTS:
            operator, _, descriptor = self.token
            self.at += 1
            if self.token is None or self.operator or operator == "<<":
                raise ShellError(f"'{operator}' and no file")
            found.append(Redirect(operator, descriptor, self.token[1]))
            self.at += 1
        return found

    def call(self) -> Call:
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while self.token is not None:
            if self.operator in _REDIRECTS:
                redirects += self.redirects()
                continue
            if self.operator:
                break
            word = self.token[1]
            named = _NAME.match(word[0].text) if word and word[0].kind == "text" and not word[0].quoted and not words else None
            if named is not None:
                assignments.append((named[1], (Part("text", word[0].text[named.end() :]), *word[1:])))
            else:
                words.append(word)
            self.at += 1
        if not (assignments or words or redirects):
            self.fail()
        return Call(tuple(assignments), tuple(words), tuple(redirects))
