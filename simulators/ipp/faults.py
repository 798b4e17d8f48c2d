"""The faults of a document printer: names, arguments and their defaults.

Knows words and numbers only; what each does is told in `controls` and `printer`.
"""

from __future__ import annotations

from simulators.faults import FaultTable

OCCASIONS = ("job", "request")  # created, and answered or not

FAULTS: FaultTable = {
    # the sheet: at once when nothing is printed, else before the next page
    "media_empty": {},
    "cover_open": {},
    "toner_empty": {},
    # the next job stops, or ends, when `after` of its pages are out
    "jam": {"after": 0},
    "abort_job": {"after": 0},
    "completed_with_errors": {"count": 1},
    # the whole machine: off now, back after `off_s`; its list of jobs is lost or kept, those not ended are aborted
    "restart": {"off_s": 2.0, "keeps_history": False},
    # the wire
    "no_answer": {"count": 1, "executes": True},  # to the next request of any kind
    "hang_after_create": {"count": 1},  # the job is there, the answer is not
    "late_answer": {"count": 1, "delay_s": 10.0},
    "garbage": {"count": 1},  # an answer that is no IPP
    "busy": {"count": 1},  # server-error-busy
    "login": {"count": 1},  # HTTP 401
    "cut": {"after": 0, "count": 1},  # the connection goes once `after` more bytes came from the host
    "unplug": {"for_s": 1.0},
}
