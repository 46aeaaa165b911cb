"""Display filters in Wireshark's language: an expression becomes a function that says whether a packet is meant."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from stack.capture.context import View
from stack.capture.error import FilterError
from stack.capture.fields import Kind, all_fields, find_field
from stack.capture.filter_tokens import COMPARISONS, Token, tokens
from stack.capture.filter_values import (
    FUNCTIONS,
    OCTETS,
    Operand,
    Prefix,
    field_operand,
    function,
    masked,
    sliced,
    value_of,
)

Predicate = Callable[[View], bool]
Test = Callable[[Any, Any], bool]

_ORDER: dict[str, Test] = {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le}


@lru_cache(maxsize=64)
def compile_filter(expression: str) -> Predicate:
    """The predicate of a display filter; an empty one holds for every packet. Raises `FilterError`."""
    if not expression.strip():
        return lambda view: True
    return _Parser(expression).parse()


class _Parser:
    """Recursive descent: `or` binds least, then `and`, then `not`, then comparisons."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = tokens(expression)
        self._place = 0

    def parse(self) -> Predicate:
        found = self._disjunction()
        if self._now.kind != "end":
            raise self._error("'and', 'or' or the end")
        return found

    @property
    def _now(self) -> Token:
        return self._tokens[self._place]

    def _take(self, *kinds: str) -> Token | None:
        token = self._now
        if token.kind not in kinds:
            return None
        self._place += 1
        return token

    def _error(self, expected: str, token: Token | None = None) -> FilterError:
        return FilterError(self._expression, (token or self._now).position, f"expected {expected}")

    def _disjunction(self) -> Predicate:
        found = self._conjunction()
        while self._take("or"):
            found = _either(found, self._conjunction())
        return found

    def _conjunction(self) -> Predicate:
        found = self._negation()
        while self._take("and"):
            found = _both(found, self._negation())
        return found

    def _negation(self) -> Predicate:
        if self._take("not"):
            denied = self._negation()
            return lambda view: not denied(view)
        return self._test()

    def _test(self) -> Predicate:
        if self._take("("):
            found = self._disjunction()
            if not self._take(")"):
                raise self._error("')'")
            return found
        every = self._quantifier()
        left: Operand | Token = self._operand()
        if self._now.kind != "comparison" and not self._is_not_in():
            return self._alone(left)
        chain: list[Predicate] = []
        while self._now.kind == "comparison" or self._is_not_in():
            denied = bool(self._take("not"))
            sign = self._tokens[self._place]
            self._place += 1
            name = COMPARISONS[sign.text]
            if name == "in":
                chain.append(self._membership(left, sign, denied))
                break
            right = self._operand()
            chain.append(self._compare(left, name, right, sign, every))
            left = right
        return chain[0] if len(chain) == 1 else lambda view: all(link(view) for link in chain)

    def _is_not_in(self) -> bool:
        return self._now.kind == "not" and self._tokens[self._place + 1].text == "in"

    def _quantifier(self) -> bool | None:
        """`any` and `all` before a comparison say for how many of a field's values it must hold."""
        if self._now.text in ("any", "all") and self._tokens[self._place + 1].kind == "word":
            self._place += 1
            return self._tokens[self._place - 1].text == "all"
        return None

    def _alone(self, operand: Operand | Token) -> Predicate:
        """A field alone asks whether it is there; a masked one, whether a bit is set."""
        if isinstance(operand, Token):
            raise FilterError(self._expression, operand.position, _unknown(operand))
        read, bare = operand.read, operand.bare
        if bare or operand.kind in OCTETS:
            return lambda view: any(True for _ in read(view))
        return lambda view: any(read(view))

    def _operand(self) -> Operand | Token:
        token = self._take("word", "text", "character")
        if token is None:
            raise self._error("a field or a value")
        if token.kind != "word":
            return token
        found: Operand | Token = token
        if token.text in FUNCTIONS and self._take("("):
            inner = self._operand()
            if isinstance(inner, Token):
                raise self._error("a field", inner)
            if not self._take(")"):
                raise self._error("')'")
            found = function(token.text, inner, token, self._expression)
        elif token.text in all_fields():
            found = field_operand(find_field(token.text))
        if isinstance(found, Operand) and (cut := self._take("slice")):
            found = sliced(found, cut, self._expression)
        if isinstance(found, Operand) and self._take("&"):
            mask = self._take("word", "character")
            if mask is None or found.kind not in (Kind.INTEGER, Kind.BOOLEAN, *OCTETS):
                raise self._error("a number, after a field that has bits", mask)
            found = masked(found, value_of(mask, Kind.INTEGER, self._expression))
        return found

    def _membership(self, left: Operand | Token, sign: Token, denied: bool) -> Predicate:
        if isinstance(left, Token):
            raise FilterError(self._expression, left.position, _unknown(left))
        if not self._take("{"):
            raise self._error("'{'")
        ranges: list[tuple[Any, Any]] = []
        while not self._take("}"):
            token = self._take("word", "text", "character")
            if token is None:
                raise self._error("a value or '}'")
            low, dots, high = token.text.partition("..") if token.kind == "word" else (token.text, "", "")
            first = value_of(token._replace(text=low), left.kind, self._expression)
            last = value_of(token._replace(text=high), left.kind, self._expression) if dots else first
            ranges.append((first, last))
            self._take(",")
        read = left.read

        def holds(view: View) -> bool:
            return any(_within(value, first, last) for value in read(view) for first, last in ranges)

        return (lambda view: not holds(view)) if denied else holds

    def _compare(
        self, left: Operand | Token, name: str, right: Operand | Token, sign: Token, every: bool | None
    ) -> Predicate:
        if isinstance(left, Token):
            if isinstance(right, Token):
                raise FilterError(self._expression, left.position, _unknown(left))
            mirrored = {">": "<", "<": ">", ">=": "<=", "<=": ">="}.get(name, name)
            if name in ("contains", "matches"):
                raise self._error("a field", left)
            return self._compare(right, mirrored, left, sign, every)
        test, everyone = self._relation(left, name, right, sign)
        if every is not None:
            everyone = every
        read = left.read
        if isinstance(right, Operand):
            other = right.read
            return _quantified(lambda view: [test(a, b) for a in read(view) for b in other(view)], everyone)
        if name == "matches":
            value: Any = self._pattern(right, left.kind)
        else:
            kind = Kind.BYTES if left.kind in OCTETS and name == "contains" else left.kind
            value = value_of(right, kind, self._expression)
        if isinstance(value, Prefix) and name not in ("==", "!=", "===", "!=="):
            raise self._error("an address; a prefix has no order", right)
        return _quantified(lambda view: [test(a, value) for a in read(view)], everyone)

    def _relation(self, left: Operand, name: str, right: Operand | Token, sign: Token) -> tuple[Test, bool]:
        """(how two values are compared, whether all must hold or any)"""
        if isinstance(right, Operand) and name not in ("contains", "matches") and not _comparable(left.kind, right.kind):
            raise self._error(f"{left.kind.value} after {sign.text!r}")
        if name in ("==", "==="):
            return _equal, name == "==="
        if name in ("!=", "!=="):
            return lambda a, b: not _equal(a, b), name == "!="
        if name in _ORDER:
            return _ORDER[name], False
        if left.kind not in (*OCTETS, Kind.STRING):
            raise self._error(f"a text or octets before {sign.text!r}", sign)
        return (_contains if name == "contains" else _matches), False

    def _pattern(self, token: Token, kind: Kind) -> re.Pattern[Any]:
        try:
            if kind is Kind.STRING:
                return re.compile(token.text, re.IGNORECASE)
            return re.compile(token.text.encode(), re.IGNORECASE | re.DOTALL)
        except re.error as error:
            raise self._error(f"a regular expression ({error})", token) from None


def _unknown(token: Token) -> str:
    if token.kind != "word" or not token.text[0].isalpha():
        return "expected a field"
    try:
        find_field(token.text)
    except FilterError as error:
        return error.expected
    return "expected a field"


def _both(a: Predicate, b: Predicate) -> Predicate:
    return lambda view: a(view) and b(view)


def _either(a: Predicate, b: Predicate) -> Predicate:
    return lambda view: a(view) or b(view)


def _quantified(results: Callable[[View], list[bool]], everyone: bool) -> Predicate:
    """A comparison with a field that is not there never holds."""
    if everyone:
        return lambda view: bool(found := results(view)) and all(found)
    return lambda view: any(results(view))


def _comparable(a: Kind, b: Kind) -> bool:
    return a is b or (a in OCTETS and b in OCTETS) or {a, b} <= {Kind.INTEGER, Kind.BOOLEAN}


def _equal(a: Any, b: Any) -> bool:
    return b.holds(a) if isinstance(b, Prefix) else bool(a == b)


def _within(value: Any, first: Any, last: Any) -> bool:
    if isinstance(first, Prefix):
        return first.holds(value)
    return bool(first <= value <= last)


def _contains(a: Any, b: Any) -> bool:
    return b in a


def _matches(a: Any, pattern: re.Pattern[Any]) -> bool:
    return pattern.search(a) is not None
