"""The system calls that a script can make, by name (google/packetdrill's table in run_system_call.c)."""

from __future__ import annotations

from stack.testing.drill import calls_files, calls_options, calls_transfer, calls_waiting
from stack.testing.drill.process import Function

TABLE: dict[str, Function] = {
    "socket": calls_files.socket,
    "bind": calls_files.bind,
    "listen": calls_files.listen,
    "accept": calls_files.accept,
    "accept4": calls_files.accept,
    "connect": calls_files.connect,
    "close": calls_files.close,
    "shutdown": calls_files.shutdown,
    "fcntl": calls_files.fcntl,
    "ioctl": calls_files.ioctl,
    "pipe": calls_files.pipe,
    "pipe2": calls_files.pipe,
    "open": calls_files.open_,
    "cap_set": calls_files.cap_set,
    "getsockname": calls_files.getsockname,
    "getpeername": calls_files.getpeername,
    "read": calls_transfer.read,
    "readv": calls_transfer.readv,
    "recv": calls_transfer.recv,
    "recvfrom": calls_transfer.recvfrom,
    "recvmsg": calls_transfer.recvmsg,
    "write": calls_transfer.write,
    "writev": calls_transfer.writev,
    "send": calls_transfer.send,
    "sendto": calls_transfer.sendto,
    "sendmsg": calls_transfer.sendmsg,
    "sendfile": calls_transfer.sendfile,
    "splice": calls_transfer.splice,
    "getsockopt": calls_options.getsockopt,
    "setsockopt": calls_options.setsockopt,
    "poll": calls_waiting.poll,
    "epoll_create": calls_waiting.epoll_create,
    "epoll_create1": calls_waiting.epoll_create,
    "epoll_ctl": calls_waiting.epoll_ctl,
    "epoll_wait": calls_waiting.epoll_wait,
    "epoll_pwait": calls_waiting.epoll_wait,
}
