"""Whatever comes down goes up again: the far end of a broker's round trip."""

from __future__ import annotations

import asyncio
import sys

from bench.load import client
from cloud_bridge.mqtt_link import MqttLink

DOWN, UP = "bench/echo/down", "bench/echo/up"


async def main(port: int) -> None:
    """Serves until it is ended."""
    link = await MqttLink.connect(client(port, "bench-echo"))
    await link.subscribe(DOWN)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        message = await link.receive()
        await link.publish(UP, message.payload)
        message.ack()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
