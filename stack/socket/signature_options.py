"""The options of signed segments: TCP_MD5SIG (tcp(7), RFC 2385), TCP_AO_ADD_KEY and its kin (linux/tcp.h, RFC 5925)."""

from __future__ import annotations

import errno
import struct
from socket import AF_INET, AF_INET6
from typing import Any

from stack.socket import numbers as n
from stack.socket.description import error
from stack.socket.numbers import SOL_TCP
from stack.socket.option import STREAM, Option, Table, no_value
from stack.tcp.signing.ao import Authentication, MasterKey, supported
from stack.tcp.signing.md5 import MD5Key

_MD5 = struct.Struct("=128sBBHi80s")  # struct tcp_md5sig
_ADD = struct.Struct("=128s64siIHBBBBBB80s")  # struct tcp_ao_add
_DELETE = struct.Struct("=128siIHBBBBBB")  # struct tcp_ao_del
_INFO = struct.Struct("=IHBB40s")  # struct tcp_ao_info_opt
_PREFIX = 1  # TCP_MD5SIG_FLAG_PREFIX
_EXCLUDE_OPTIONS = 2  # TCP_AO_KEYF_EXCLUDE_OPT
_SET_CURRENT, _SET_NEXT = 1, 2
_LONGEST = 80
_EKEYREJECTED = int(getattr(errno, "EKEYREJECTED", 129))  # Linux alone has it
_MAC = 12
_MAPPED = bytes(10) + b"\xff\xff"


def _address(description: Any, storage: bytes) -> bytes:
    """The address of a struct sockaddr_storage, of the socket's own family."""
    family = int(struct.unpack_from("=H", storage)[0])
    if family != description.family:
        raise error(errno.EINVAL)
    if family == AF_INET:
        return storage[4:8]
    address = storage[8:24]
    return address[12:] if family == AF_INET6 and address[:12] == _MAPPED else address


def _unpacked(form: struct.Struct, value: bytes) -> tuple[Any, ...]:
    if len(value) < form.size:
        raise error(errno.EINVAL)
    return form.unpack_from(value)


def _set_md5(extended: bool) -> Any:
    def put(description: Any, value: bytes) -> None:
        storage, flags, prefix, size, _, secret = _unpacked(_MD5, value)
        address = _address(description, storage)
        if not extended or not flags & _PREFIX:
            prefix = 8 * len(address)
        if prefix > 8 * len(address) or size > _LONGEST:
            raise error(errno.EINVAL)
        keys = description.settings.md5_keys
        kept = tuple(key for key in keys if (key.address, key.prefix) != (address, prefix))
        if size:
            kept += (MD5Key(address, prefix, secret[:size]),)
        elif len(kept) == len(keys):
            raise error(errno.ENOENT)
        description.configure(md5_keys=kept)

    return put


def _add_key(description: Any, value: bytes) -> None:
    storage, name, _, wanted, _, prefix, send, receive, length, flags, size, secret = _unpacked(_ADD, value)
    address = _address(description, storage)
    if prefix > 8 * len(address) or not 0 < size <= _LONGEST or length not in (0, _MAC):
        raise error(errno.EINVAL)
    algorithm = name.split(b"\0")[0].decode("ascii", "replace")
    if not supported(algorithm):
        raise error(errno.ENOENT)
    settings = description.settings
    if any(key.fits(address) for key in settings.md5_keys):
        raise error(_EKEYREJECTED)
    if any((key.address, key.prefix) == (address, prefix) and (key.send_id == send or key.receive_id == receive) for key in settings.ao_keys):
        raise error(errno.EEXIST)
    key = MasterKey(address, prefix, send, receive, secret[:size], algorithm, not flags & _EXCLUDE_OPTIONS)
    description.configure(ao_keys=(*settings.ao_keys, key))
    _choose(description, wanted, send, receive)


def _delete_key(description: Any, value: bytes) -> None:
    storage, _, wanted, _, prefix, send, receive, current, following, _ = _unpacked(_DELETE, value)
    address = _address(description, storage)
    _choose(description, wanted, current, following)
    keys = description.settings.ao_keys
    named = (address, prefix, send, receive)
    kept = tuple(key for key in keys if (key.address, key.prefix, key.send_id, key.receive_id) != named)
    if len(kept) == len(keys):
        raise error(errno.ENOENT)
    description.configure(ao_keys=kept)


def _set_info(description: Any, value: bytes) -> None:
    wanted, _, current, following, _ = _unpacked(_INFO, value)
    _choose(description, wanted, current, following)


def _choose(description: Any, wanted: int, send: int, receive: int) -> None:
    """current_key by its SendID, rnext_key by its RecvID; raises ENOENT where there is no such key."""
    if not wanted & (_SET_CURRENT | _SET_NEXT):
        return
    connection = description.connection
    signature = connection.signature if connection is not None else None
    if not isinstance(signature, Authentication):
        raise error(errno.EINVAL)
    if not signature.choose(send if wanted & _SET_CURRENT else None, receive if wanted & _SET_NEXT else None):
        raise error(errno.ENOENT)


def _get_info(description: Any) -> bytes:
    connection = description.connection
    signature = connection.signature if connection is not None else None
    if not isinstance(signature, Authentication):
        raise error(errno.ENOENT)
    return _INFO.pack(_SET_CURRENT | _SET_NEXT, 0, signature.current.send_id, signature.next.receive_id, bytes(40))


TABLE: Table = {
    (SOL_TCP, n.TCP_MD5SIG): Option(no_value, _set_md5(False), STREAM),
    (SOL_TCP, n.TCP_MD5SIG_EXT): Option(no_value, _set_md5(True), STREAM),
    (SOL_TCP, n.TCP_AO_ADD_KEY): Option(no_value, _add_key, STREAM),
    (SOL_TCP, n.TCP_AO_DEL_KEY): Option(no_value, _delete_key, STREAM),
    (SOL_TCP, n.TCP_AO_INFO): Option(_get_info, _set_info, STREAM),
}
