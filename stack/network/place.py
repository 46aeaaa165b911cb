"""Where am I? The stack of hosts of a thread, and whose block each entry is.

A block (`with host:`) belongs to the frame that entered it. A plain function cannot be left and come back to, so its
block counts until it is left. A generator or a coroutine can: while it is suspended its block does not count, so that
nothing leaks to whoever resumes it. A suspended frame has no `f_back`: that is the whole test, and only blocks of
generators and coroutines pay for it (docs/decisions/0004-whose-block.md).

A block that is left is left, whatever interrupts the leaving: Ctrl-C and other handlers of signals raise between any two
instructions, in the first of `__exit__` too. A `with` statement holds its bound `__exit__` for exactly as long as the
block lasts, so a block is over when that is gone (`leaving`), whether or not `leave` came to do its work.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import FrameType, MethodType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Protocol
from weakref import ref

from stack.base.errors import StackError

if TYPE_CHECKING:
    from stack.network.scheduler import Scheduler

_RESUMABLE = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR
# Whoever runs one of these enters a block for its own caller.
_ENTERING = frozenset({"__enter__", "__aenter__", "enter_context", "enter_async_context"})

_P = ParamSpec("_P")


class Place(Protocol):
    """Where a program can be: a node of a network."""

    @property
    def name(self) -> str: ...

    @property
    def scheduler(self) -> Scheduler: ...


class Block:
    """One entry of a thread's stack of hosts. Without a frame it is the thread's own: it never ends.

    `held`: the `__exit__` that the `with` statement holds; None if it was entered by hand, and lasts until it is left.
    `plain`: neither it nor a block around it can be suspended.
    """

    __slots__ = ("frame", "held", "left", "node", "plain", "resumable", "stack")

    def __init__(self, node: Place | None, frame: FrameType | None, stack: Stack, held: ref[MethodType] | None) -> None:
        self.node = node
        self.frame = frame
        self.resumable = frame is not None and bool(frame.f_code.co_flags & _RESUMABLE)
        self.stack = stack
        self.held = held
        self.left = False
        self.plain = not self.resumable

    @property
    def over(self) -> bool:
        return self.left or (self.held is not None and self.held() is None)

    @property
    def suspended(self) -> bool:
        return self.resumable and self.frame is not None and self.frame.f_back is None

    def end(self) -> None:
        """It is left. Its thread's stack lets go of it, at once or when it is next used."""
        self.left = True
        if self.stack is _local.stack:
            self.stack.sweep()


class Stack:
    """The blocks of one thread, outermost first. Each change is one assignment, so no interruption halves it."""

    __slots__ = ("blocks", "exits", "thread")

    def __init__(self) -> None:
        self.blocks: tuple[Block, ...] = ()
        self.exits: tuple[ref[MethodType], ...] = ()         # each `__exit__` that was looked up, and has no block yet
        self.thread = ""

    def push(self, node: Place | None, frame: FrameType | None, manager: object = None) -> Block:
        """`manager`: the object of the `with` statement, if it is one that enters."""
        block = Block(node, frame, self, self._held(manager))
        if self.blocks:
            self.sweep()
        if not self.thread:
            self.thread = threading.current_thread().name
        if block.resumable:
            for each in [one for one in _suspendable if one.over]:
                _forget(each)
            _suspendable.append(block)
        blocks = self.blocks
        if blocks and not blocks[-1].plain:
            block.plain = False
        self.blocks = (*blocks, block)
        return block

    def _held(self, manager: object) -> ref[MethodType] | None:
        """The `__exit__` of `manager` that was looked up for the block that begins."""
        for one in reversed(self.exits):
            bound = one()
            if bound is not None and bound.__self__ is manager:
                self.exits = tuple([other for other in self.exits if other is not one]) if len(self.exits) > 1 else ()
                return one
        return None

    def sweep(self) -> None:
        """Let go of what is over."""
        blocks = self.blocks
        kept = tuple([one for one in blocks if not one.left and (one.held is None or one.held() is not None)])
        if len(kept) == len(blocks):
            return
        plain = True
        for block in kept:
            plain = block.plain = plain and not block.resumable
        self.blocks = kept
        for block in blocks:
            if block.over:
                block.frame = None
                if block.resumable:
                    _forget(block)

    def innermost(self, frame: FrameType | None, leaving: Place | None = None) -> Block | None:
        """The block that counts for code in `frame`: that of the nearest caller that has one.

        One of `leaving` counts though it is over: who calls an `__exit__` may have let go of it already.
        """
        blocks = [one for one in self.blocks if not one.over or (one.node is leaving is not None and not one.left)]
        plain = [one for one in blocks if not one.resumable]
        if len(plain) < len(blocks):
            running = {id(block.frame): block for block in blocks if block.frame is not None and not block.suspended}
            while frame is not None:
                block = running.get(id(frame))
                if block is not None:
                    return block
                frame = frame.f_back
        # What is left was entered by hand in a function that has returned, or belongs to the thread.
        return plain[-1] if plain else None


class _Local(threading.local):
    stack = Stack()                                          # while a thread's own is being made: the collector may call us then

    def __init__(self) -> None:
        self.stack = Stack()


_local = _Local()
_suspendable: list[Block] = []                               # of all threads


def current_node() -> Place | None:
    """The host that the calling code is on, or None."""
    blocks = _local.stack.blocks
    if not blocks:
        return None
    last = blocks[-1]
    if last.plain and not last.left and (last.held is None or last.held() is not None):
        return last.node
    block = _local.stack.innermost(sys._getframe(1))
    return None if block is None else block.node


class leaving(Generic[_P]):  # noqa: N801 - used as a decorator
    """Of the `__exit__` of what is a block: each lookup by an instance is noted, for the block that begins with it."""

    def __init__(self, function: Callable[Concatenate[Any, _P], None]) -> None:
        self.function = function

    def __get__(self, instance: object, owner: type | None = None) -> Callable[_P, None]:
        if instance is None:
            return self.function  # type: ignore[return-value]
        bound, stack = MethodType(self.function, instance), _local.stack
        noted = ref(bound)
        stack.exits = (*[one for one in stack.exits if one() is not None], noted) if stack.exits else (noted,)
        return bound


def enter(node: Place, manager: object) -> None:
    """Be on `node` until `leave(node)`. The block belongs to the frame whose `with manager:` this serves."""
    _local.stack.push(node, _owner(sys._getframe(1)), manager)


def leave(node: Place, raised: type[BaseException] | None = None) -> None:
    """End the innermost block; it must be one of `node`. `raised` is what `__exit__` was told."""
    stack = _local.stack
    frame = sys._getframe(1)
    block = stack.innermost(frame, node)
    if block is not None and block.node is node and block.frame is not None:
        block.end()
        return
    strays = [one for one in _suspendable if one.stack is not stack and not one.left and _called_by(frame, one.frame)]
    if strays:
        stray = strays[0]
        stray.end()
        if raised is GeneratorExit:                          # dropped, and closed by the garbage collector
            return
        raise StackError(
            f"a block on {node.name} was entered in thread {stray.stack.thread!r} and left in "
            f"{threading.current_thread().name!r}; "
            f"a block belongs to one thread"
        )
    if block is None or block.node is None:
        raise StackError(f"leaving {node.name}, but this code is not on any host")
    raise StackError(f"leaving {node.name} while on {block.node.name}: leave the inner block first")


class inside:  # noqa: N801 - used as a statement
    """`with inside(node):` as `with host:`, for callers that are never suspended in it. None: on no host."""

    __slots__ = ("_block", "_node")

    def __init__(self, node: Place | None) -> None:
        self._node = node

    def __enter__(self) -> None:
        self._block = _local.stack.push(self._node, sys._getframe(1), self)

    @leaving
    def __exit__(self, *_: object) -> None:
        self._block.end()


def settle(node: Place) -> None:
    """The calling thread is on `node` from now on: it is a program of that host."""
    _local.stack.push(node, None)


def _owner(frame: FrameType) -> FrameType:
    """The frame whose `with` statement (or ExitStack, or @contextmanager) is being entered."""
    while True:
        while frame.f_code.co_name in _ENTERING and frame.f_back is not None:
            frame = frame.f_back
        back = frame.f_back
        managed = (
            frame.f_code.co_flags & _RESUMABLE
            and back is not None
            and back.f_code.co_name in _ENTERING
            and back.f_code.co_filename == contextlib.__file__
        )
        if not managed or back is None:
            return frame
        frame = back


def unsettle() -> None:
    """The calling thread is done on its host: on none from now on."""
    for block in reversed(_local.stack.blocks):
        block.end()


def _forget(block: Block) -> None:
    with contextlib.suppress(ValueError):
        _suspendable.remove(block)


def mark() -> int:
    """How deep the calling thread's stack of hosts is, for `restore`."""
    return len(_local.stack.blocks)


def restore(depth: int) -> None:
    """Leave what functions that are gone have not left, since `mark`."""
    for block in _local.stack.blocks[depth:]:
        if not block.resumable:
            block.end()


def _called_by(frame: FrameType | None, owner: FrameType | None) -> bool:
    while frame is not None:
        if frame is owner:
            return True
        frame = frame.f_back
    return False
