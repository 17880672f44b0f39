# SPDX-License-Identifier: MIT
"""Verdicts.  A request may be answered as if nothing had failed, refused with 500 or 503, or cut off."""
from lib.answer import parse_cgi
from lib.tokens import check_headers

# Good ends.
RIGHT, REFUSED, CLOSED = "right", "refused", "closed"
GOOD = (RIGHT, REFUSED, CLOSED)
# Bad ones.
WRONG, MALFORMED, DEATH, HANG, SILENT, BAD_OK, AFTERWARDS, LEAK = (
    "wrong", "malformed", "death", "hang", "silent", "ok for bad", "afterwards", "leak")
BAD = (WRONG, MALFORMED, DEATH, HANG, SILENT, BAD_OK, AFTERWARDS, LEAK)

REFUSALS = ((500, "INTERNAL_SERVER_ERROR"), (503, "MEMBER_STORE_UNAVAILABLE"))
VARYING = ("x-request-id", "content-length")
UNREADY = b'"unavailable"'  # of /readyz


def judge_output(output, expect):
    """(verdict, details) on the bytes of an answer that claims to be whole; expect(answer) raises AssertionError
    when it is not what a healthy server says."""
    try:
        answer = parse_cgi(output)
        length = answer.header("Content-Length")
        if length is not None and int(length) != len(answer.body):
            raise AssertionError(f"Content-Length {length}, and {len(answer.body)} bytes")
        if answer.status in (500, 503):
            if b"ran out of memory" not in answer.body:  # a constant has no request id
                check_headers(answer)
            if answer.body != UNREADY and answer.error not in REFUSALS:
                return WRONG, repr(answer)
            return REFUSED, ""
        if answer.status != 304 and "json" in (answer.header("Content-Type") or ""):
            answer.json  # pylint: disable=pointless-statement
    except (AssertionError, ValueError) as error:
        return MALFORMED, f"{error}: {output[:300]!r}"
    try:
        expect(answer)
    except Exception as error:  # pylint: disable=broad-except  # whatever an answer can do to the checks
        return WRONG, f"{error}: {output[:1500]!r}"
    return RIGHT, ""


def same_as(clean):
    """Expects what a clean run said, but for what differs each time."""
    def facts(answer):
        """Of an error, not its words: there may be no memory for the best ones."""
        headers = {name: value for name, value in answer.headers.items() if name not in VARYING}
        return answer.status, headers, answer.error if answer.status >= 400 else answer.body

    def expect(answer):
        if facts(answer) != facts(clean):
            raise AssertionError(f"not {clean!r} with {clean.headers}")
    return expect
