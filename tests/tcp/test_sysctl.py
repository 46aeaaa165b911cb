"""Linux's sysctls become settings, and the two profiles."""

from dataclasses import fields

import pytest

from stack.base.quantity import MILLISECOND, SECOND
from stack.tcp.settings import TcpSettings
from stack.tcp.sysctl import EFFECT, NO_EFFECT, SysctlError
from tests.ledger import rfc

VALUE = "4096 131072 6291456"
ONE_WAY = {"net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_tw_reuse_delay"}  # what there is of them is Linux's default


def test_the_defaults_are_linuxs() -> None:
    assert TcpSettings.linux() == TcpSettings()


@rfc("9293", "MUST-23")
def test_the_profile_of_the_rfcs_repeats_a_syn_for_three_minutes() -> None:
    settings = TcpSettings.rfc()
    assert sum(settings.initial_rto << retry for retry in range(settings.syn_retries + 1)) >= 180 * SECOND
    assert settings.abort_on_hard_icmp
    assert settings.minimum_rto == settings.initial_rto == SECOND


def test_a_sysctl_changes_what_it_names() -> None:
    settings = TcpSettings().with_sysctl("net.ipv4.tcp_rmem", "4096 540000 15728640")
    assert (settings.receive_buffer, settings.receive_buffer_max) == (540_000, 15_728_640)
    assert not settings.with_sysctl("net/ipv4/tcp_sack", "0").sack
    assert settings.with_sysctl("/proc/sys/net/ipv4/tcp_rto_max_ms", "1000").maximum_rto == SECOND
    assert settings.with_sysctl("net.ipv4.tcp_invalid_ratelimit", " 250\n").invalid_interval == 250 * MILLISECOND
    assert settings.with_sysctl("net.ipv4.tcp_wmem", '"4096\t0x4000 4194304"').send_buffer == 16_384
    assert settings.with_sysctl("net.ipv4.tcp_orphan_retries", "0").orphan_retries == 8


def test_how_much_reordering_a_path_may_show() -> None:
    settings = TcpSettings().with_sysctl("net.ipv4.tcp_reordering", "10").with_sysctl("net.ipv4.tcp_max_reordering", "40")
    assert (settings.reordering, settings.reordering_limit) == (10, 40)
    assert not settings.with_sysctl("net.ipv4.tcp_retrans_collapse", "0").collapse


def test_each_sysctl_sets_fields_that_there_are() -> None:
    names = {field.name for field in fields(TcpSettings)}
    for name, change in EFFECT.items():
        value = "2" if name.endswith("_reuse") else "1000" if name.endswith("_delay") else VALUE if name.endswith("mem") else "0-0-0-1" if name.endswith("key") else "reno" if name.endswith("_control") else "1"
        changed = change(value)
        assert changed or name in ONE_WAY, name
        assert set(changed) <= names, name
    assert not set(EFFECT) & set(NO_EFFECT)


def test_what_has_no_effect_changes_nothing_and_what_is_unknown_is_refused() -> None:
    settings = TcpSettings()
    assert settings.with_sysctl("net.ipv4.tcp_autocorking", "0") == settings
    with pytest.raises(SysctlError, match=r"net\.inet\.tcp\.recvspace is not emulated"):
        settings.with_sysctl("net.inet.tcp.recvspace", "65536")
    for value in ("many", "", "1 2"):
        with pytest.raises(SysctlError, match="tcp_rmem does not take"):
            settings.with_sysctl("net.ipv4.tcp_rmem", value)
