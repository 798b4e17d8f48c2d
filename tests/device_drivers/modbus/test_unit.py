"""One unit: questions are asked again, an act is written once, and each error says whether anything happened."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from device_drivers.errors import DeviceRefused, DeviceUnavailable, OutcomeUnknown
from device_drivers.links.breaker import Breaker
from device_drivers.links.bus import Bus
from device_drivers.links.line import SharedLine, Urgency
from device_drivers.links.memory import joined_ends
from device_drivers.modbus.settings import ModbusSettings, silence_s
from device_drivers.modbus.unit import ModbusUnit
from tests.device_drivers.modbus.far_end import far_end, hexed, one_unit
from tests.virtual_time import virtual_time

READ = bytes.fromhex("01 01 00 00 00 08 3D CC")
NONE_ON, FIRST_ON = "01 01 01 00 51 88", "01 01 01 01 90 48"
PULSE = bytes.fromhex("01 05 02 00 00 07 8D B0")
REFUSED = {1: "01 85 01 83 50", 2: "01 85 02 C3 51", 4: "01 85 04 43 53", 6: "01 85 06 C2 92"}


@virtual_time
async def test_questions_and_acts() -> None:
    async with one_unit() as (unit, far):
        far.say = [
            hexed(FIRST_ON),
            hexed("01 04 08 00 28 00 5A 00 53 00 55 E4 2C"),
            hexed(PULSE.hex()),
            hexed("01 05 00 00 FF 00 8C 3A"),
            hexed("01 06 00 88 04 D2 8B 7D"),
            hexed("01 10 00 70 00 03 81 D3"),
        ]
        assert await unit.read_bits("coils", 0, 8) == (True, *[False] * 7)
        assert await unit.read_words("input", 0, 4, Urgency.POLL) == (40, 90, 83, 85)
        await unit.pulse_coil(0x0200, 7)
        await unit.write_coil(0, on=True)
        await unit.write_word(0x0088, 1234)
        await unit.write_words(0x0070, [0x4130, 0x3031, 0x2020])
        assert far.frames == [
            READ,
            bytes.fromhex("01 04 00 00 00 04 F1 C9"),
            PULSE,
            bytes.fromhex("01 05 00 00 FF 00 8C 3A"),
            bytes.fromhex("01 06 00 88 04 D2 8B 7D"),
            bytes.fromhex("01 10 00 70 00 03 06 41 30 30 31 20 20 ED 69"),
        ]
        assert unit.counters() == {"requests": 6}


@virtual_time
async def test_a_question_is_asked_again_once_the_unit_had_its_peace() -> None:
    async with one_unit() as (unit, far):
        far.say = [[], hexed(FIRST_ON), hexed(NONE_ON)]
        assert await unit.read_bits("coils", 0, 8) == (False,) * 8  # the first answer after a silence may be an old one
        assert far.frames == [READ, READ, READ]
        assert far.times_s[1] - far.times_s[0] == pytest.approx(1.52, abs=0.02)
        assert unit.counters() == {"requests": 3, "timeouts": 1, "resends": 1, "backOffs": 1, "probes": 1}


@virtual_time
async def test_a_poll_is_asked_once_and_a_resting_unit_is_not_spoken_to() -> None:
    async with one_unit() as (unit, far):
        with pytest.raises(DeviceUnavailable, match="unit_silent"):
            await unit.read_bits("coils", 0, 8, Urgency.POLL)
        assert unit.breaker.value == "open"
        with pytest.raises(DeviceUnavailable, match="unit_resting"):
            await unit.read_bits("coils", 0, 8, Urgency.POLL)
        with pytest.raises(DeviceUnavailable, match="unit_resting"):
            await unit.pulse_coil(0x0200, 7)
        assert far.frames == [READ]
        await asyncio.sleep(0.5)
        assert unit.breaker.value == "half_open"
        assert unit.counters()["turnedAway"] == 2


@pytest.mark.rule("PHY-2")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "unit_silent"),
        (PULSE.hex()[:-1] + "1", "unit_garbled"),
        ("01 05 02 01 00 07 DC 70", "unit_garbled"),  # another relay
        ("01 05 02", "unit_garbled"),
        (REFUSED[4], "unit_refused"),
    ],
)
def test_an_act_that_is_not_confirmed_is_unknown_and_was_written_once(answer: str, reason: str) -> None:
    @virtual_time
    async def work() -> None:
        async with one_unit() as (unit, far):
            far.say = [hexed(answer) if answer else []]
            with pytest.raises(OutcomeUnknown, match=reason):
                await unit.pulse_coil(0x0200, 7)
            await asyncio.sleep(10)
            assert far.frames == [PULSE]

    work()


@pytest.mark.parametrize(("code", "waits_for"), [(1, "never"), (2, "never"), (6, "device")])
def test_an_act_that_the_unit_checked_and_refused_did_not_happen(code: int, waits_for: str) -> None:
    @virtual_time
    async def work() -> None:
        async with one_unit() as (unit, far):
            far.say = [hexed(REFUSED[code])]
            with pytest.raises(DeviceRefused) as refused:
                await unit.pulse_coil(0x0200, 7)
            assert (refused.value.reason, refused.value.waits_for) == ("unit_refused", waits_for)
            assert refused.value.facts == {"exception": code}
            assert unit.breaker is Breaker.CLOSED

    work()


@virtual_time
async def test_a_gateway_that_speaks_for_a_silent_unit_is_no_sign_of_its_life() -> None:
    async with one_unit() as (unit, far):
        far.say = [hexed("01 81 0B 01 97"), hexed(NONE_ON), hexed(NONE_ON), hexed("01 85 0B 03 57")]
        with pytest.raises(DeviceUnavailable, match="unit_silent"):
            await unit.read_bits("coils", 0, 8, Urgency.POLL)
        await asyncio.sleep(1)
        assert await unit.read_bits("coils", 0, 8, Urgency.POLL) == (False,) * 8
        with pytest.raises(OutcomeUnknown, match="unit_silent"):
            await unit.pulse_coil(0x0200, 7)


@pytest.mark.rule("PHY-3")
@virtual_time
async def test_what_would_act_on_all_is_refused_and_never_written() -> None:
    async with one_unit() as (unit, far):
        for address in (0x00FF, 0x01FF):
            with pytest.raises(DeviceRefused, match="all outputs"):
                await unit.write_coil(address, on=True)
            with pytest.raises(DeviceRefused, match="all outputs"):
                await unit.pulse_coil(address, 5)
        for number in (0, 248, 255):
            with pytest.raises(ValueError, match="1 to 247"):
                ModbusUnit(SharedLine(joined_ends()[0]), number)
        assert not [name for name in dir(unit) if "coils" in name]
        await asyncio.sleep(1)
        assert far.frames == []


@virtual_time
async def test_without_a_line_nothing_was_sent() -> None:
    async with far_end() as (line, far):
        unit = ModbusUnit(line, 1, ModbusSettings(echo=False))
        with pytest.raises(DeviceUnavailable, match="line_closed"):
            await unit.pulse_coil(0x0200, 7)
        await unit.connect()
        far.cut()
        with pytest.raises(DeviceUnavailable, match="line_lost"):
            await unit.pulse_coil(0x0200, 7)
        await unit.connect()
        far.say = [hexed(NONE_ON)]
        assert await unit.read_bits("coils", 0, 8) == (False,) * 8
        await unit.disconnect()
        await unit.disconnect()


@pytest.mark.rule("PHY-2")
@virtual_time
async def test_a_line_lost_under_an_act_is_unknown() -> None:
    async with one_unit() as (unit, far):
        task = asyncio.create_task(unit.pulse_coil(0x0200, 7))
        await asyncio.sleep(0.5)
        far.cut()
        with pytest.raises(OutcomeUnknown, match="line_lost"):
            await task
        assert far.frames == [PULSE]


@virtual_time
async def test_an_act_waits_for_no_turn_longer_than_its_deadline_and_is_then_not_written() -> None:
    async with one_unit(deadline_s=2.0) as (unit, far):
        hold = await unit._line.hold()
        async with hold.exchange():
            with pytest.raises(DeviceUnavailable, match="line_busy"):
                await unit.pulse_coil(0x0200, 7)
            with pytest.raises(DeviceUnavailable, match="line_busy"):
                await unit.read_bits("coils", 0, 8, deadline_s=0.1)
        await hold.let_go()
        await asyncio.sleep(1)
        assert far.frames == []


@virtual_time
async def test_cancelled_with_the_frame_on_the_wire_it_is_finished_and_the_next_one_gets_its_own_answer() -> None:
    async with one_unit() as (unit, far):
        far.say = [hexed(FIRST_ON, 0.5), hexed(NONE_ON)]
        task = asyncio.create_task(unit.read_bits("coils", 0, 8))
        await asyncio.sleep(0.1)
        task.cancel()
        assert await unit.read_bits("coils", 0, 8) == (False,) * 8
        assert task.cancelled()
        assert far.times_s[1] - far.times_s[0] > 0.5
        assert unit.counters() == {"requests": 2, "cancelled": 1}


@virtual_time
async def test_cancelled_before_the_frame_nothing_is_written() -> None:
    async with one_unit() as (unit, far):
        hold = await unit._line.hold()
        async with hold.exchange():
            task = asyncio.create_task(unit.pulse_coil(0x0200, 7))
            await asyncio.sleep(0.1)
            task.cancel()
        await asyncio.wait([task])
        await hold.let_go()
        await asyncio.sleep(1)
        assert task.cancelled()
        assert far.frames == []


@virtual_time
async def test_the_question_before_an_act_takes_nothing_of_the_acts_own_time() -> None:
    async with one_unit(echo=None, deadline_s=0.5, answer_s=0.6) as (unit, far):
        far.say = [hexed(NONE_ON, 0.55), hexed(PULSE.hex())]
        hold = await unit._line.hold()

        async def somebody_else() -> None:
            await asyncio.sleep(0.1)
            async with hold.exchange():
                await asyncio.sleep(0.3)

        await asyncio.gather(unit.pulse_coil(0x0200, 7), somebody_else())
        await hold.let_go()
        assert far.frames.count(PULSE) == 1


@virtual_time
async def test_a_late_answer_is_drained_and_counted_and_answers_nothing() -> None:
    async with one_unit() as (unit, far):
        far.say = [hexed(FIRST_ON, 1.2), hexed(NONE_ON), hexed(NONE_ON)]
        with pytest.raises(DeviceUnavailable, match="unit_silent"):
            await unit.read_bits("coils", 0, 8, Urgency.POLL)
        await asyncio.sleep(0.5)
        assert await unit.read_bits("coils", 0, 8) == (False,) * 8
        assert unit.counters()["lateReplies"] == 1


@virtual_time
async def test_an_answer_so_late_that_it_meets_the_next_question_is_not_believed() -> None:
    async with one_unit() as (unit, far):
        far.say = [hexed(FIRST_ON, 1.52)]
        far.otherwise = lambda _: hexed(NONE_ON, 0.05)
        assert await unit.read_bits("coils", 0, 8, deadline_s=5.0) == (False,) * 8
        assert unit.counters()["lateReplies"] == 1


@virtual_time
async def test_a_unit_that_is_always_late_is_never_believed() -> None:
    """Its answers come when other questions are asked, in pairs as those were asked: they are told from real ones."""
    for late_s in (1.2, 1.5, 1.6, 1.9, 2.3, 3.1, 4.01, 4.2, 7.7):
        async with one_unit() as (unit, far):
            far.otherwise = lambda _, late_s=late_s: hexed(FIRST_ON, late_s)  # type: ignore[misc]
            for _ in range(150):
                with pytest.raises(DeviceUnavailable):
                    await unit.read_bits("coils", 0, 8, Urgency.POLL)
                await asyncio.sleep(0.9)
            assert unit.counters()["backOffs"] < 10


@pytest.mark.rule("PHY-2")
@virtual_time
async def test_after_a_silence_a_question_goes_before_an_act_so_that_an_older_acts_answer_cannot_confirm_it() -> None:
    async with one_unit() as (unit, far):
        far.say = [hexed(PULSE.hex(), 1.7)]
        with pytest.raises(OutcomeUnknown, match="unit_silent"):
            await unit.pulse_coil(0x0200, 7)
        await asyncio.sleep(0.52)
        with pytest.raises(DeviceUnavailable):  # it does not answer: nothing is written
            await unit.pulse_coil(0x0200, 7)
        assert far.frames.count(PULSE) == 1
        await asyncio.sleep(5)
        far.say = [hexed("01 01 01 00 51 88"), hexed("01 01 01 00 51 88"), hexed(PULSE.hex())]
        await unit.pulse_coil(0x0200, 7)
        assert far.frames.count(PULSE) == 2


@virtual_time
async def test_before_each_frame_the_line_is_silent_for_three_and_a_half_characters() -> None:
    async with one_unit(baud=1200) as (unit, far):
        far.otherwise = lambda _: hexed(NONE_ON, 0.01)
        for _ in range(3):
            await unit.read_bits("coils", 0, 8)
        answered = [at + 0.01 for at in far.times_s]
        pauses = [later - before for before, later in zip(answered, far.times_s[1:], strict=False)]
        assert all(pause == pytest.approx(0.0321, abs=0.0001) for pause in pauses)


def test_the_silence_of_the_standard() -> None:
    assert silence_s(9600) == pytest.approx(0.00401, abs=0.00001)
    assert silence_s(19200) == pytest.approx(0.002005, abs=0.00001)
    assert silence_s(19201) == silence_s(115200) == 0.00175
    slow = ModbusSettings(baud=1200)
    assert slow.silence_s("serial:///dev/ttyUSB0?baud=115200") == 0.00175
    assert slow.silence_s("tcp://192.0.2.1:4001") == silence_s(1200)
    assert slow.is_tcp("modbus://192.0.2.1")
    assert not slow.is_tcp("tcp://192.0.2.1:4001")
    assert slow.on_the_wire_s("tcp://192.0.2.1:4001", 120) == pytest.approx(1.1)
    assert ModbusSettings(framing="tcp").is_tcp("memory://x")
    with pytest.raises(ValidationError):
        ModbusSettings.model_validate({"retries": 3})


@virtual_time
async def test_a_line_that_is_never_quiet_is_left_soon_and_nothing_was_written() -> None:
    async with one_unit() as (unit, far):

        async def babble() -> None:
            while True:
                await far.speak(b"\xff")
                await asyncio.sleep(0.001)

        task = asyncio.create_task(babble())
        before = asyncio.get_running_loop().time()
        with pytest.raises(DeviceUnavailable, match="line_noisy"):
            await unit.pulse_coil(0x0200, 7)
        assert asyncio.get_running_loop().time() - before < 0.4
        task.cancel()
        await asyncio.wait([task])
        assert far.frames == []


# --- a line that hears itself ----------------------------------------------------------------------------------------


@virtual_time
async def test_on_a_line_that_hears_itself_the_own_frame_is_no_answer_of_a_dead_board() -> None:
    async with far_end() as (line, far):
        far.otherwise = lambda frame: [(0.001, frame)]  # every frame comes back, and nobody is there
        unit = ModbusUnit(line, 1)
        await unit.connect()
        with pytest.raises(DeviceUnavailable, match="unit_silent"):
            await unit.pulse_coil(0x0200, 7)  # a question is asked first, to learn about the line
        assert Bus.of(line).hears_itself
        assert PULSE not in far.frames
        await unit.disconnect()


@pytest.mark.rule("PHY-2")
@virtual_time
async def test_once_it_is_known_an_act_is_confirmed_by_the_second_copy_only() -> None:
    async with far_end() as (line, far):
        unit = ModbusUnit(line, 1)
        await unit.connect()
        far.say = [
            [(0.001, READ), (0.02, bytes.fromhex(NONE_ON))],
            [(0.001, PULSE), (0.02, PULSE)],
            [(0.001, PULSE)],
        ]
        assert await unit.read_bits("coils", 0, 8) == (False,) * 8
        await unit.pulse_coil(0x0200, 7)
        with pytest.raises(OutcomeUnknown, match="unit_silent"):
            await unit.pulse_coil(0x0200, 7)
        await unit.disconnect()


@virtual_time
async def test_a_collision_with_our_own_frame_is_no_confirmation() -> None:
    async with one_unit(echo=True) as (unit, far):
        far.say = [[(0.001, b"\xff" + PULSE)]]
        with pytest.raises(OutcomeUnknown, match="unit_garbled"):
            await unit.pulse_coil(0x0200, 7)


# --- Modbus TCP ------------------------------------------------------------------------------------------------------


@virtual_time
async def test_over_modbus_tcp_an_answer_has_its_transaction_and_a_late_one_is_counted() -> None:
    async with one_unit(framing="tcp") as (unit, far):
        far.say = [[(1.7, bytes.fromhex("00 01 00 00 00 04 01 01 01 01"))],
                   [(0.3, bytes.fromhex("00 02 00 00 00 04 01 01 01 00"))],
                   [(0.01, bytes.fromhex("00 03 00 00 00 06 01 05 02 00 00 07"))]]  # fmt: skip
        assert await unit.read_bits("coils", 0, 8) == (False,) * 8
        await unit.pulse_coil(0x0200, 7)
        assert far.frames == [
            bytes.fromhex("00 01 00 00 00 06 01 01 00 00 00 08"),
            bytes.fromhex("00 02 00 00 00 06 01 01 00 00 00 08"),
            bytes.fromhex("00 03 00 00 00 06 01 05 02 00 00 07"),
        ]
        assert unit.counters()["lateReplies"] == 1


# --- any bytes -------------------------------------------------------------------------------------------------------

SLICES = st.lists(
    st.tuples(st.floats(0.0, 1.2), st.binary(max_size=12) | st.just(PULSE) | st.just(PULSE[:5])), max_size=6
)


@pytest.mark.rule("PHY-2")
@settings(max_examples=60, deadline=None)
@given(SLICES, st.booleans())
def test_whatever_comes_an_act_is_written_once_and_confirmed_by_its_own_frame_only(
    pieces: list[tuple[float, bytes]], echo: bool
) -> None:
    @virtual_time
    async def work() -> None:
        async with one_unit(echo=echo) as (unit, far):
            far.say = [sorted(pieces)]
            try:
                await unit.pulse_coil(0x0200, 7)
            except (OutcomeUnknown, DeviceRefused):
                pass
            else:
                heard = b"".join(data for _, data in sorted(pieces))
                assert heard.count(PULSE) >= (2 if echo else 1)
            assert far.frames == [PULSE]
            await asyncio.sleep(5)

    work()


@settings(max_examples=60, deadline=None)
@given(st.lists(SLICES, max_size=4), st.sampled_from(["rtu", "tcp"]))
def test_whatever_comes_a_question_ends_in_time_in_an_answer_or_one_of_its_errors(
    answers: list[list[tuple[float, bytes]]], framing: str
) -> None:
    @virtual_time
    async def work() -> None:
        async with one_unit(framing=framing) as (unit, far):
            far.say = [sorted(pieces) for pieces in answers]
            clock = asyncio.get_running_loop().time
            began = clock()
            with suppress(DeviceUnavailable, DeviceRefused):
                assert len(await unit.read_bits("coils", 0, 8)) == 8
            assert clock() - began < 3.0 + 2 * 1.2 + 1.0  # its deadline, what was begun by then, and a noisy line
            await asyncio.sleep(5)

    work()
