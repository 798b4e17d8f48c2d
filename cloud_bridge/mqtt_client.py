"""The MQTT library (paho) as this link uses it: on a socket that is handed in, and with what CONNECT says.

Knows paho's insides where they cost too much or would block; must not know when anything is read, written or awaited.
"""

from __future__ import annotations

from typing import Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from cloud_bridge.envelope import CONTENT_TYPE
from cloud_bridge.gathering import GatheringSocket
from cloud_bridge.link import Connect, Granted

MAX_PACKET_BYTES = 1024 * 1024  # the broker keeps larger ones to itself; four times what ENV-5 lets through
NO_LIMIT = 2**28  # MQTT 5 §2.1.4: no packet can be longer
DEFAULT_RECEIVE_MAXIMUM = 65535  # MQTT 5 §3.2.2.3.3: when CONNACK does not say
BARE_PUBACK_BYTES = 2  # MQTT 5 §3.4.2.1: the reason is left out when it is "success" and there are no properties


_SUCCESS = ReasonCode(PacketTypes.PUBACK)
_NOTHING_MORE: Properties = Properties(PacketTypes.PUBACK)  # type: ignore[no-untyped-call] # paho leaves it untyped


class Client(paho.Client):
    """paho with a socket that asyncio opened: its own connect would block the loop for seconds."""

    opened: GatheringSocket | None = None

    @property
    def sock(self) -> GatheringSocket:
        assert self.opened is not None, "the socket is opened before paho connects"
        return self.opened

    def _create_socket(self) -> GatheringSocket:
        return self.sock

    def _handle_pubackcomp(self, cmd: Literal["PUBACK", "PUBCOMP"]) -> MQTTErrorCode:
        """Most say nothing but their number: lists of reasons and properties would cost more than all else of them."""
        packet = self._in_packet["packet"]
        if len(packet) != BARE_PUBACK_BYTES:
            return super()._handle_pubackcomp(cmd)
        mid = int.from_bytes(packet, "big")
        with self._out_message_mutex:
            if mid in self._out_messages:
                return self._do_on_publish(mid, _SUCCESS, _NOTHING_MORE)
        return MQTTErrorCode.MQTT_ERR_SUCCESS


def client_for(options: Connect) -> Client:
    """A client with its name, credentials and will; nothing of it is connected."""
    client = Client(CallbackAPIVersion.VERSION2, options.client_id, protocol=paho.MQTTv5, manual_ack=True)
    client.max_inflight_messages = 0  # our own slots keep to the broker's Receive Maximum; paho must not queue
    client.username_pw_set(options.username, options.password)
    if options.will is not None:
        properties = properties_of(PacketTypes.WILLMESSAGE)
        properties.WillDelayInterval = options.will.delay_s
        properties.ContentType = CONTENT_TYPE
        client.will_set(options.will.topic, options.will.payload, 1, retain=True, properties=properties)
    return client


def say_connect(client: Client, options: Connect) -> None:
    """CONNECT goes out over the socket that is open by now."""
    properties = properties_of(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = options.session_expiry_s
    properties.ReceiveMaximum = options.receive_maximum
    properties.MaximumPacketSize = MAX_PACKET_BYTES
    client.connect(
        options.host, options.port, options.keepalive_s, clean_start=options.clean_start, properties=properties
    )


def granted_by(properties: Properties | None, asked_expiry_s: int) -> Granted:
    """What CONNACK says, and what it means where it does not."""

    def said(name: str, unsaid: int) -> int:
        return int(getattr(properties, name, unsaid))

    return Granted(
        receive_maximum=said("ReceiveMaximum", DEFAULT_RECEIVE_MAXIMUM),
        packet_bytes=said("MaximumPacketSize", NO_LIMIT),
        session_expiry_s=said("SessionExpiryInterval", asked_expiry_s),
        retained=bool(said("RetainAvailable", 1)),
        qos=said("MaximumQoS", 2),
    )


def of_publish(expiry_s: int | None = None) -> Properties:
    """Of a message of ours, to be kept for so long by the broker; None: for as long as it keeps any."""
    properties = properties_of(PacketTypes.PUBLISH)
    properties.ContentType = CONTENT_TYPE
    if expiry_s is not None:
        properties.MessageExpiryInterval = max(1, expiry_s)
    return properties


def packed(properties: Properties) -> Properties:
    """The same, packed once: paho does it for each packet."""
    once = properties.pack()  # type: ignore[no-untyped-call] # paho leaves this one untyped
    object.__setattr__(properties, "pack", lambda: once)
    return properties


def properties_of(packet: int) -> Properties:
    """None yet, of that kind of packet."""
    return Properties(packet)  # type: ignore[no-untyped-call] # paho leaves this one untyped
