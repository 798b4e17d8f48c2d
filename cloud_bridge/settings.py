"""The settings of the link to the centre, as the agent hands them down.

Knows values and their reasons; where they are written and how they are checked is the agent's concern.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from cloud_bridge.link import SESSION_EXPIRY_S, Connect, Will


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """One broker and how we behave towards it. The password never shows in repr or log."""

    client_id: str  # stable for the branch (SES-1)
    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls_ca: str | None = None  # a PEM file; giving it turns TLS on
    tls_certificate: str | None = None
    tls_key: str | None = None
    session_expiry_s: int = SESSION_EXPIRY_S
    receive_maximum: int = 32  # instructions that we hold without having written them (INS-7)
    keepalive_s: int = 20  # a dead WAN is noticed within twice this
    connect_timeout_s: float = 10.0
    ack_timeout_s: float = 30.0  # a broker that answers pings but no publish is as good as lost
    heartbeat_s: float = 60.0  # SES-6
    backoff_min_s: float = 1.0  # SES-4
    backoff_max_s: float = 60.0
    stable_s: float = 10.0  # a connection that stood so long was a success: the next back-off starts anew
    batch: int = 100
    max_events_per_s: float = 500.0  # a backlog must not take the whole WAN
    will_delay_s: int = 30  # SES-3
    stop_limit_s: float = 2.0

    def connect(self, will: Will) -> Connect:
        """What CONNECT says. Reads the TLS files; raises OSError."""
        return Connect(
            self.host,
            self.port,
            self.client_id,
            self.username,
            self.password,
            self.tls(),
            will,
            session_expiry_s=self.session_expiry_s,
            receive_maximum=self.receive_maximum,
            keepalive_s=self.keepalive_s,
            timeout_s=self.connect_timeout_s,
            loopback_only=True,
        )

    def tls(self) -> ssl.SSLContext | None:
        """None where TLS is not asked for. Reads its files; raises OSError, ssl.SSLError."""
        if self.tls_ca is None:
            return None
        context = ssl.create_default_context(cafile=self.tls_ca)
        if self.tls_certificate is not None:
            context.load_cert_chain(self.tls_certificate, self.tls_key)
        return context
