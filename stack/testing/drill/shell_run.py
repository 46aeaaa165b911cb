"""Runs shell lines that were read: variables, substitutions, tests and loops; the commands themselves are mapped, never executed."""

from __future__ import annotations

import ast
import fnmatch
import operator
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from stack.testing.drill.shell import Block, Call, Case, Chain, For, If, Node, Pipe, Simple, While, read
from stack.testing.drill.shell_words import Part, ShellError, Word

_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv,
    ast.Div: operator.floordiv, ast.Mod: operator.mod, ast.LShift: operator.lshift, ast.RShift: operator.rshift,
    ast.BitOr: operator.or_, ast.BitAnd: operator.and_, ast.BitXor: operator.xor,
}  # fmt: skip
_LARGEST = 1 << 63
_STEPS = 2_000  # commands of one text
_LONGEST = 1 << 16  # letters that a command prints
_NAME = re.compile(r"\$?\{?([A-Za-z_]\w*)\}?")


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a command: its exit status, what it printed."""

    status: int = 0
    text: str = ""


class Exit(Exception):
    """exit(1)"""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


class Shell:
    """One shell. `execute` does what a pipeline of simple commands says; `write` puts what they print into a file (path, text, append)."""

    def __init__(self, execute: Callable[[list[Simple]], Done], write: Callable[[str, str, bool], None], look: Callable[[str], str]) -> None:
        self.execute = execute
        self.write = write
        self.look = look
        self.variables: dict[str, str] = {"PPID": "1", "$": "2", "?": "0", "#": "0", "PWD": "/", "HOME": "/root", "USER": "root", "UID": "0"}
        self.steps = 0
        self.tested = False

    def run(self, text: str) -> Done:
        """All that a text says; its status is that of the last command."""
        self.steps = 0
        try:
            return self.block(read(text))
        except Exit as end:
            return Done(end.status)

    # What there is to run

    def block(self, block: Block) -> Done:
        """One after the other; what they print, together."""
        done = Done()
        text = ""
        for part in block.parts:
            done = self.chain(part)
            text += done.text
            if len(text) > _LONGEST:
                raise ShellError("more is printed than there is room for")
        return Done(done.status, text)

    def chain(self, chain: Chain) -> Done:
        """`&&`, `||`"""
        pipes = [("", chain.first), *chain.rest]
        done = Done()
        for at, (sign, pipe) in enumerate(pipes):
            if sign and (done.status == 0) != (sign == "&&"):
                continue
            with self.testing(at + 1 < len(pipes) and pipes[at + 1][0] == "||"):
                after = self.pipe(pipe)
            done = Done(after.status, done.text + after.text)
        return done

    @contextmanager
    def testing(self, tested: bool) -> Iterator[None]:
        """While the commands in it run, it is known that their status is looked at: they may fail."""
        before, self.tested = self.tested, self.tested or tested
        try:
            yield
        finally:
            self.tested = before

    def pipe(self, pipe: Pipe) -> Done:
        """`a | b`"""
        simple = [one for one in pipe.commands if isinstance(one, Call)]
        if len(simple) == len(pipe.commands) > 1:
            done = self.calls(simple)
        elif len(pipe.commands) == 1:
            done = self.node(pipe.commands[0])
        else:
            raise ShellError("only simple commands are joined by '|'")
        status = int(not done.status) if pipe.negated else done.status
        self.variables["?"] = str(status)
        return Done(status, done.text)

    def node(self, node: Node) -> Done:
        """One command of any kind."""
        match node:
            case Call():
                return self.calls([node])
            case Block():
                return self.block(node)
            case If(branches, otherwise):
                for test, then in branches:
                    with self.testing(True):
                        status = self.block(test).status
                    if status == 0:
                        return self.block(then)
                return self.block(otherwise)
            case For(name, words, body):
                text, done = "", Done()
                for value in [field for word in words for field in self.fields(word)]:
                    self.variables[name] = value
                    done = self.block(body)
                    text += done.text
                return Done(done.status, text)
            case While(test, body, until):
                text, done = "", Done()
                while (self.block(test).status == 0) is not until:
                    self.step()
                    done = self.block(body)
                    text += done.text
                return Done(done.status, text)
            case Case(word, branches):
                said = self.text(word)
                for patterns, body in branches:
                    if any(fnmatch.fnmatchcase(said, self.text(pattern)) for pattern in patterns):
                        return self.block(body)
        return Done()

    def step(self) -> None:
        """Count: a loop has an end."""
        self.steps += 1
        if self.steps > _STEPS:
            raise ShellError(f"more than {_STEPS} commands")

    def calls(self, calls: list[Call]) -> Done:
        """A pipeline of simple commands, their words expanded; what the last prints may go to a file."""
        commands = []
        for call in calls:
            self.step()
            for name, word in call.assignments:
                self.variables[name] = self.text(word)
            words = tuple(field for word in call.words for field in self.fields(word))
            try:
                stdin = "".join(self.look(self.text(one.target)) for one in call.redirects if one.operator == "<")
            except FileNotFoundError:
                return Done(1)
            if words:
                commands.append(Simple(words, stdin))
        if not commands:
            return Done()
        if commands[0].words[0] == "exit":
            raise Exit(int(commands[0].words[1]) if len(commands[0].words) > 1 else 0)
        if commands[0].words[0] in ("export", "readonly", "local"):
            self.variables |= {name: value for name, sign, value in (word.partition("=") for word in commands[0].words[1:]) if sign}
            return Done()
        done = self.execute(commands)
        for redirect in calls[-1].redirects:
            if redirect.operator in (">", ">>", "&>") and redirect.descriptor in (-1, 1):
                target = self.text(redirect.target)
                if target != "/dev/null":
                    self.write(target, done.text, redirect.operator == ">>")
                done = Done(done.status)
        return done

    # Words

    def text(self, word: Word) -> str:
        """A word as one text."""
        return "".join(self.part(part) for part in word)

    def fields(self, word: Word) -> list[str]:
        """A word as the arguments that it makes: what `$` puts there without quotes is split at white space."""
        found = [""]
        there = False
        for part in word:
            said = self.part(part)
            if part.quoted or part.kind == "text":
                found[-1] += said
                there = True
                continue
            pieces = said.split()
            there = there or bool(pieces)
            if pieces:
                if said[:1].isspace() and found[-1]:
                    found.append("")
                found[-1] += pieces[0]
                found += pieces[1:]
        return found if there else []

    def part(self, part: Part) -> str:
        """What stands for a part of a word."""
        match part.kind:
            case "variable":
                name, _, otherwise = part.text.partition(":-")
                return self.variables.get(name) or otherwise
            case "command":
                return self.block(read(part.text)).text.rstrip("\n")
            case "arithmetic":
                return str(evaluate(_NAME.sub(lambda found: self.variables.get(found[1]) or "0", part.text)))
        return part.text


def evaluate(text: str) -> int:
    """`600*1024`: shell arithmetic over numbers. Raises `ShellError`."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
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
