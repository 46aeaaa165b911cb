"""The spanning tree of the switches: which of their ports must rest so that no frame goes in circles (IEEE 802.1D clause 17).

Computed from the wiring, not agreed on by messages: the first switch is the root, each switch reaches it by the links of least
cost, ties going to what was added first. Links between switches that are not part of it rest at both ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush

from stack.link.interface import Interface
from stack.link.link import Link
from stack.link.switch import Switch


def span(switches: Iterable[Switch], links: Iterable[Link]) -> None:
    """Block the ports that are not in the tree over the links that are up; where that changes anything, forget addresses."""
    by_name = {switch.name: switch for switch in switches}
    between = [link for link in links if all(end.owner in by_name for end in link.ends)]
    tree = _tree(list(by_name), [link for link in between if link.is_up])
    resting: dict[str, list[Interface]] = {name: [] for name in by_name}
    for link in between:
        if link.name not in tree:
            for end in link.ends:
                resting[end.owner].append(end)
    if any(resting[name] != switch.blocked for name, switch in by_name.items()):
        for name, switch in by_name.items():
            switch.block(resting[name])


def _tree(names: list[str], links: list[Link]) -> dict[str, Link]:
    """The links by which each switch is reached from the first of its connected part, by name."""
    at: dict[str, list[tuple[str, Link]]] = {name: [] for name in names}
    for link in links:
        a, b = (end.owner for end in link.ends)
        at[a].append((b, link))
        at[b].append((a, link))
    tree: dict[str, Link] = {}
    reached: dict[str, bool] = {}
    for root in names:
        order = 0
        heap: list[tuple[int, int, str, Link | None]] = [(0, order, root, None)]
        while heap:
            cost, _, name, by = heappop(heap)
            if name in reached:
                continue
            reached[name] = True
            if by is not None:
                tree[by.name] = by
            for other, way in at[name]:
                if other not in reached:
                    order += 1
                    heappush(heap, (cost + way.cost, order, other, way))
    return tree
