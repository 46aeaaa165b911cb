"""Where am I? The stack of hosts of a thread, and whose block each entry is.

A block (`with host:`) belongs to the frame that entered it. A plain function cannot be left and come back to, so its
block counts until it is left. A generator or a coroutine can: while it is suspended its block does not count, so that
nothing leaks to whoever resumes it. A suspended frame has no `f_back`: that is the whole test, and only blocks of
generators and coroutines pay for it (docs/decisions/0004-whose-block.md).
"""

from __future__ import annotations

import contextlib
import sys
import threading
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import FrameType
from typing import TYPE_CHECKING, Protocol

from stack.base.errors import StackError

if TYPE_CHECKING:
    from stack.network.scheduler import Scheduler

_RESUMABLE = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR
# Whoever runs one of these enters a block for its own caller.
_ENTERING = frozenset({"__enter__", "__aenter__", "enter_context", "enter_async_context"})


class Place(Protocol):
    """Where a program can be: a node of a network."""

    @property
    def name(self) -> str: ...

    @property
    def scheduler(self) -> Scheduler: ...


class Block:
    """One entry of a thread's stack of hosts. Without a frame it is the thread's own: it never ends."""

    __slots__ = ("frame", "node", "resumable", "stack")

    def __init__(self, node: Place | None, frame: FrameType | None, stack: Stack) -> None:
        self.node = node
        self.frame = frame
        self.resumable = frame is not None and bool(frame.f_code.co_flags & _RESUMABLE)
        self.stack = stack

    @property
    def suspended(self) -> bool:
        return self.resumable and self.frame is not None and self.frame.f_back is None


class Stack:
    """The blocks of one thread, outermost first."""

    __slots__ = ("blocks", "resumable", "thread")

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.resumable = 0                                   # how many of them belong to generators and coroutines
        self.thread = ""

    def push(self, node: Place | None, frame: FrameType | None) -> Block:
        block = Block(node, frame, self)
        self.blocks.append(block)
        if not self.thread:
            self.thread = threading.current_thread().name
        if block.resumable:
            self.resumable += 1
            _suspendable.append(block)
        return block

    def remove(self, block: Block) -> None:
        self.blocks.remove(block)
        if block.resumable:
            self.resumable -= 1
            _suspendable.remove(block)
        block.frame = None

    def innermost(self, frame: FrameType | None) -> Block | None:
        """The block that counts for code in `frame`: that of the nearest caller that has one."""
        if not self.blocks:
            return None
        if not self.resumable:
            return self.blocks[-1]
        running = {id(block.frame): block for block in self.blocks if block.frame is not None and not block.suspended}
        while frame is not None:
            block = running.get(id(frame))
            if block is not None:
                return block
            frame = frame.f_back
        # What is left was entered by hand in a function that has returned, or belongs to the thread.
        return next((block for block in reversed(self.blocks) if not block.resumable), None)


class _Local(threading.local):
    stack = Stack()                                          # while a thread's own is being made: the collector may call us then

    def __init__(self) -> None:
        self.stack = Stack()


_local = _Local()
_suspendable: list[Block] = []                               # of all threads


def current_node() -> Place | None:
    """The host that the calling code is on, or None."""
    stack = _local.stack
    if not stack.blocks:
        return None
    if not stack.resumable:
        return stack.blocks[-1].node
    block = stack.innermost(sys._getframe(1))
    return None if block is None else block.node


def enter(node: Place) -> None:
    """Be on `node` until `leave(node)`. The block belongs to the frame whose `with` statement this serves."""
    _local.stack.push(node, _owner(sys._getframe(1)))


def leave(node: Place, raised: type[BaseException] | None = None) -> None:
    """End the innermost block; it must be one of `node`. `raised` is what `__exit__` was told."""
    stack = _local.stack
    frame = sys._getframe(1)
    block = stack.innermost(frame)
    if block is not None and block.node is node and block.frame is not None:
        stack.remove(block)
        return
    stray = next((each for each in _suspendable if each.stack is not stack and _called_by(frame, each.frame)), None)
    if stray is not None:
        stray.stack.remove(stray)
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
        self._block = _local.stack.push(self._node, sys._getframe(1))

    def __exit__(self, *_: object) -> None:
        self._block.stack.remove(self._block)


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
    stack = _local.stack
    while stack.blocks:
        stack.remove(stack.blocks[-1])


def mark() -> int:
    """How deep the calling thread's stack of hosts is, for `restore`."""
    return len(_local.stack.blocks)


def restore(depth: int) -> None:
    """Leave what functions that are gone have not left, since `mark`."""
    stack = _local.stack
    for block in stack.blocks[depth:]:
        if not block.resumable:
            stack.remove(block)


def _called_by(frame: FrameType | None, owner: FrameType | None) -> bool:
    while frame is not None:
        if frame is owner:
            return True
        frame = frame.f_back
    return False
