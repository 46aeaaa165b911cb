"""One acknowledgment, as the parts that look at it find it to be (RFC 9293 section 3.10.7.4 step five, RFC 5681 section 2)."""

from __future__ import annotations


class Acknowledgment:
    """What one ACK was found to say; written by the parts that look at it (Linux's flags and sack_state)."""

    __slots__ = (
        "ack", "advanced", "data_acked", "dsacked", "dsacked_probe", "duplicates", "ece", "echo", "first_sacked", "has_data",
        "last_sacked", "lost_again", "maybe_delayed", "newly_sacked", "original", "prior_delivered", "prior_una", "reneging",
        "reordered", "repair", "resent_acked", "restart_timer", "try_new", "window_updated",
    )  # fmt: skip

    def __init__(self, ack: int, una: int, nxt: int, echo: int, has_data: bool) -> None:
        self.ack = ack
        self.prior_una = una
        self.echo = echo  # TSecr; 0: none
        self.has_data = has_data
        self.ece = False
        self.advanced = False  # SND.UNA moved
        self.window_updated = False
        self.data_acked = False  # a whole segment was acknowledged
        self.resent_acked = False  # and it had been sent again
        self.newly_sacked = False
        self.dsacked = False  # it reports the arrival of a repetition of ours that was not needed
        self.dsacked_probe = False  # and that is the tail loss probe
        self.original = False  # something arrived that was sent once, before the recovery began
        self.reneging = False
        self.lost_again = False  # a repetition was lost
        self.duplicates = 0
        self.reordered = nxt  # the lowest number that was delivered after something above it
        self.prior_delivered = 0  # segments delivered when the newest of those that it delivers was sent
        self.first_sacked: int | None = None  # when the first and the last that it SACKs, sent once, were sent
        self.last_sacked = 0
        self.maybe_delayed = False
        self.restart_timer = False
        self.repair = False  # send what is lost
        self.try_new = False  # send new data first (F-RTO)

    @property
    def duplicate(self) -> bool:
        """It says nothing but that something arrived."""
        return not (self.advanced or self.has_data or self.window_updated or self.data_acked or self.newly_sacked)
