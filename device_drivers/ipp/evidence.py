"""The evidence table of the document printer: what a job's state, or its absence, says of an attempt.

Knows only plain values; must not ask, wait or know a line. What no row covers is for a person, with the lane shut.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from device_drivers.device import Arming, Json, Outcome, Verdict, Whereabouts
from device_drivers.ipp.host import Instant
from device_drivers.ipp.printer import Job, JobState, PrinterState

UP_TIME_SLACK_S = 3.0  # whole seconds on the printer, and the time that asking takes
UP_TIME_DRIFT = 0.01  # a printer's clock is no better


def judge(job: Job) -> Verdict | None:
    """What a job that has ended says; None while it has not."""
    facts: dict[str, Json] = {"job": job.id, "job_state": job.state, "impressions": job.impressions}
    if job.state == JobState.COMPLETED:
        return _completed(job, facts)
    if not job.ended:
        return None
    if job.impressions:
        return Verdict(Outcome.FAILED, "document_incomplete", Whereabouts.CUSTOMER, facts)
    if job.impressions == 0 or job.never_processed or job.documents == 0:
        return Verdict(Outcome.NO_EFFECT, "job_ended_unprinted", Whereabouts.STOCK, facts)
    return Verdict(Outcome.UNKNOWN, "job_ended_uncounted", facts=facts, lane_shut=True)


def _completed(job: Job, facts: dict[str, Json]) -> Verdict:
    if "job-completed-with-errors" in job.reasons:
        return Verdict(Outcome.FAILED, "document_incomplete", Whereabouts.CUSTOMER, facts)
    evidence = "printed" if job.impressions else "processed"  # no count, or a printer that never counts
    return Verdict(Outcome.DONE, "printed", Whereabouts.CUSTOMER, {"evidence": evidence, **facts})


def never_sent(job: Job | None, *, cover_sent: bool) -> Verdict:
    """The journal says that no byte of the document was sent; `job` is what the printer made of the rest."""
    facts: dict[str, Json] = {"document_sent": False}
    if job is not None:
        facts |= {"job": job.id, "job_state": job.state, "impressions": job.impressions}
        if job.impressions and not cover_sent:
            return Verdict(Outcome.UNKNOWN, "contradiction", facts=facts, lane_shut=True)
    return Verdict(Outcome.NO_EFFECT, "document_not_sent", Whereabouts.STOCK, facts)


@dataclass(frozen=True, slots=True)
class Before:
    """What the arming stored of printer and host."""

    uuid: str
    up_time_s: int | None
    boot: str
    host_s: float

    @classmethod
    def of(cls, arming: Arming) -> Before:
        """Reads a stored arming; what is not there is told as unknown."""
        readings = arming.readings
        up_time_s, host_s = readings.get("up_time_s"), readings.get("host_s")
        return cls(
            str(readings.get("uuid") or ""),
            up_time_s if isinstance(up_time_s, int) else None,
            str(readings.get("boot") or ""),
            float(host_s) if isinstance(host_s, int | float) else 0.0,
        )


def absent(before: Before, now: PrinterState, instant: Instant, history_s: float, *, all_seen: bool) -> Verdict:
    """The document may have been sent and no job bears its name: only an unbroken history proves anything."""
    facts: dict[str, Json] = {"up_time_s": now.up_time_s, "armed_up_time_s": before.up_time_s}
    if before.uuid != now.uuid:
        facts |= {"uuid": now.uuid, "armed_uuid": before.uuid}
        return Verdict(Outcome.UNKNOWN, "other_machine", facts=facts, lane_shut=True)
    passed_s = _unbroken_s(before, now, instant)
    if passed_s is None:
        return Verdict(Outcome.UNKNOWN, "printer_restarted", facts=facts, lane_shut=True)
    if not before.uuid or not all_seen or passed_s > history_s:
        return Verdict(Outcome.UNKNOWN, "job_history_short", facts=facts, lane_shut=True)
    return Verdict(Outcome.NO_EFFECT, "job_absent", Whereabouts.STOCK, facts)


def _unbroken_s(before: Before, now: PrinterState, instant: Instant) -> float | None:
    """Seconds since the arming if the printer ran through all of them; None when that cannot be shown."""
    if before.up_time_s is None or now.up_time_s is None or not before.boot or before.boot != instant.boot:
        return None
    ran_s = now.up_time_s - before.up_time_s
    passed_s = instant.seconds - before.host_s
    slack_s = UP_TIME_SLACK_S + passed_s * UP_TIME_DRIFT
    if before.up_time_s <= slack_s:  # it had just begun: a second beginning would look the same
        return None
    return max(ran_s, passed_s) if abs(ran_s - passed_s) <= slack_s else None


def with_facts(verdict: Verdict, facts: Mapping[str, Json], memory: Mapping[str, Json]) -> Verdict:
    """The same verdict that tells more and leaves something to remember."""
    return Verdict(
        verdict.outcome,
        verdict.reason,
        verdict.item,
        {**verdict.facts, **facts},
        verdict.lane_shut,
        {**verdict.memory, **memory},
    )
