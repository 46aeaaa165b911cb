"""Linux and ours in the same place, over the same link: the programs find the same, and the packets agree but for what is known.

What is known to differ is in the table that `python -m tests.tap.differential` prints, and hangs on how this kernel is set or on its timer wheel.
"""

import pytest

from tests.tap.differential import PAIRINGS, Run, Seen, compare, execute, facts
from tests.tap.scenarios import SCENARIOS

AGREE = {
    "the programs found", "options after it", "sent again", "probes", "octets of a probe below what was sent", "FIN", "urgent",
    "duplicates that it reports", "SYN", "SYN, IP header", "RST", "acknowledges a FIN",
}  # fmt: skip


@pytest.mark.usefixtures("linux")
@pytest.mark.parametrize(
    "name",
    [
        "ask and reply", "refused", "SYN-ACK lost", "small writes, Nagle", "two of ten lost", "a single segment lost", "FIN lost",
        "closed with data unread", "abort", "keep-alive", "urgent data",
    ],
)  # fmt: skip
def test_as_linux_does(name: str) -> None:
    assert [each for each in compare(name) if each[1] in AGREE] == []


@pytest.mark.usefixtures("linux")
def test_a_difference_is_seen() -> None:
    """The harness can fail: a scenario in which one end is told to do something else."""

    def run(name: str, client: str, server: str) -> Run:
        chosen = "ask and reply" if (client, server) == PAIRINGS[0] else "abort"
        return execute(SCENARIOS[chosen], client, server)

    found = {(by, fact) for by, fact, _, _ in compare("", run)}
    assert {("client", "FIN"), ("client", "RST"), ("server", "the programs found")} <= found


def test_facts_of_a_repeated_segment() -> None:
    def seen(time: int, flags: str, start: int, length: int, *options: str) -> Seen:
        return Seen(time * 1_000_000, "client", flags, start, length, 1, 64, options, "v6")

    run = Run([seen(0, "S", 0, 0, "mss 1460"), seen(20, "P.", 1, 10), seen(240, "P.", 1, 10), seen(300, "F.", 11, 0)], {"client": []})
    found = facts(run, "client")
    assert (found["sent again"], found["sent again after (50 ms)"], found["FIN"]) == ("1", "5", "F.")
    assert found["SYN"] == "S win 64 <mss 1460>"
