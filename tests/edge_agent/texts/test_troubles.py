"""What system, broker and TLS refuse is told by their own names, which have words; in English as it was said."""

from __future__ import annotations

import errno
import socket
import ssl
import termios

import pytest
from paho.mqtt.reasoncodes import ReasonCode

from cloud_bridge.link import ConnectRefused, LinkLost, PublishRefused
from cloud_bridge.troubles import told, word_of
from device_drivers.links.link import LinkError
from edge_agent.findings import Detail, Reported, Word, shown
from edge_agent.texts import Texts, load

ZH, EN = Texts("zh"), Texts("en")


def _behind(outer: Exception, inner: BaseException, *, hidden: bool = False) -> Exception:
    try:
        try:
            raise inner
        except (OSError, termios.error) as error:
            raise outer from (None if hidden else error)
    except (OSError, ConnectRefused, LinkError) as error:
        return error


def _untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = 10, "certificate has expired"
    return error


@pytest.mark.parametrize(
    ("error", "zh"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 1)"), "连接被拒绝"),
        (_behind(ConnectRefused("h:1: refused"), OSError(errno.EHOSTUNREACH, "no route")), "没有到该主机的路由"),
        (_behind(ConnectRefused("h:1 did not answer within 5 s"), TimeoutError(), hidden=True), "超时无应答"),
        (_behind(ConnectRefused("h:1"), socket.gaierror(socket.EAI_NONAME, "not known")), "没有这个名称"),
        (_behind(ConnectRefused("h:1"), _untrusted()), "证书已过期"),
        (ConnectRefused("the broker refused", code=0x87), "未获授权"),
        (LinkLost("the broker ended it", mqtt=0x8E), "会话被另一客户端顶替"),
        (LinkLost("not connected"), "连接已断开"),
        (PublishRefused("t", "Packet too large", 0x95), "报文过大"),
        (_behind(LinkError("serial:///d", "gone"), termios.error(errno.EIO, "x")), "读写错误"),
        (
            _behind(LinkError("serial:///d", "gone"), _behind(OSError("of a library"), OSError(errno.ENODEV, "x"))),
            "没有这个设备",
        ),
        (LinkError("serial:///d", "the line was lost"), "线路已断，须重新打开"),
    ],
)
def test_the_innermost_reason_that_has_words_is_told(error: Exception, zh: str) -> None:
    assert told(ZH, error) == zh
    assert shown(error, ZH) == zh
    assert told(EN, error).isascii()
    family, code = word_of(error)
    assert f"{family}.{code}" in load("en")


def test_english_keeps_what_was_said() -> None:
    assert told(EN, ConnectRefused("h:1: Connection refused")) == "h:1: Connection refused"
    assert told(EN, _untrusted()) == "certificate has expired"
    assert shown(Detail("code P03", LinkError("a", "b")), EN) == "code P03"
    assert shown(Detail("code P03", KeyError("odd")), ZH) != "code P03"
    assert shown(Reported("refused", Word("os", "ECONNREFUSED")), EN) == "refused"
    assert shown(Reported("refused", Word("os", "ECONNREFUSED")), ZH) == "连接被拒绝"


def test_every_reason_of_mqtt_has_words() -> None:
    refusals = [code for code in ReasonCode(2).names if code >= 0x80]
    assert len(refusals) > 20
    assert [code for code in refusals if f"mqtt.x{code:02x}" not in load("zh")] == []
