"""Opening a TCP connection, with TLS when asked, without a thread and without blocking the loop.

Knows sockets only; what is said over them is not its concern.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import ssl


class NotLoopbackError(ValueError):
    """The broker is on another machine, which is refused while instructions are unsigned.

    `code` and `places` tell it to who speaks another language; `places["error"]` is a name such as EAI_NONAME.
    """

    def __init__(self, sentence: str, code: str, **places: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.places = places


def require_loopback(host: str) -> None:
    """Raises NotLoopbackError unless every address of `host` is this machine's own.

    Until instructions are signed (INS-6) whoever reaches the broker can move the branch's machines.
    """
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, ValueError) as error:  # the second: a name that cannot even be asked for
        raise NotLoopbackError(
            f"the broker's host {host!r} has no address ({error}): use 127.0.0.1",
            "host_unknown",
            host=repr(host),
            error=name_of(error),
        ) from error
    foreign = sorted(str(address) for address in found if not ipaddress.ip_address(address).is_loopback)
    if foreign:
        raise NotLoopbackError(
            f"the broker's host {host!r} is {', '.join(foreign)}, not this machine: instructions are not signed in "
            "this version, so only a broker on loopback is allowed; use 127.0.0.1",
            "host_elsewhere",
            host=repr(host),
            addresses=", ".join(foreign),
        )


def name_of(error: BaseException) -> str:
    """What the system refused, as a name that a catalogue has words for (ECONNREFUSED, EAI_NONAME, TLS_10)."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS_{error.verify_code}"
    if isinstance(error, socket.gaierror):
        names = (name for name in dir(socket) if name.startswith("EAI_") and getattr(socket, name) == error.args[0])
        return next(names, "EAI")
    number = error.errno if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else None
    if type(error).__module__ == "termios":  # no OSError, though it has a number
        number = error.args[0]
    return errno.errorcode.get(number or 0, type(error).__name__)


async def open_socket(
    host: str, port: int, tls: ssl.SSLContext | None = None, *, loopback_only: bool = False
) -> socket.socket:
    """A connected, non-blocking socket, with the TLS handshake done. Raises OSError (ssl.SSLError is one).

    With `loopback_only` no other address is tried: a name may mean another machine now than when it was checked.
    """
    loop = asyncio.get_running_loop()
    failure: OSError = OSError(f"no address for {host}")
    for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        if loopback_only and not ipaddress.ip_address(address[0]).is_loopback:
            failure = OSError(f"{address[0]} is not this machine: instructions are not signed, use 127.0.0.1")
            continue
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else each small packet waits for a delayed ACK
            await loop.sock_connect(sock, address)
            return sock if tls is None else await _shake_hands(tls, sock, host)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
    raise failure


async def _shake_hands(tls: ssl.SSLContext, sock: socket.socket, host: str) -> ssl.SSLSocket:
    loop = asyncio.get_running_loop()
    wrapped = tls.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    try:
        while True:
            ready = asyncio.Event()
            try:
                wrapped.do_handshake()
                return wrapped
            except ssl.SSLWantReadError:
                loop.add_reader(wrapped, ready.set)
            except ssl.SSLWantWriteError:
                loop.add_writer(wrapped, ready.set)
            try:
                await ready.wait()
            finally:
                loop.remove_reader(wrapped)
                loop.remove_writer(wrapped)
    except BaseException:
        wrapped.close()
        raise
