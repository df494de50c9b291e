"""What the bridge refuses, and the one shape in which the gateway gives every error of REST."""

from __future__ import annotations

from aiohttp import web
from unora_common.errors import DomainError, PermissionDenied
from unora_gateway.refusals import HTTP, OTHER_HTTP


class ForeignOrigin(PermissionDenied):
    """The request comes from a page of another site, or names another host than this machine."""

    reason = "FOREIGN_ORIGIN"
    sentence = "Only the page of this machine may ask for this: open it at http://127.0.0.1."


class ClockBusy(DomainError):
    """The clock is being moved already, by the page, a seed or a command."""

    code = "ABORTED"
    reason = "CLOCK_BUSY"
    sentence = "The clock is being moved already. Wait until that has ended, and try again."


class SeedBusy(DomainError):
    """Members are being made already."""

    code = "ABORTED"
    reason = "SEED_BUSY"
    sentence = "Members are being made already. Wait until that has ended."


class NotPossible(DomainError):
    """What a command at the keyboard would refuse; the metadata `why` says it in words."""

    reason = "NOT_POSSIBLE"
    sentence = "This cannot be done now."


class NoCode(DomainError):
    """No code was sent to this number."""

    code = "NOT_FOUND"
    reason = "NO_CODE"
    sentence = "No code was sent to this number. Ask for one first."


class PictureUnknown(DomainError):
    """There is no such picture."""

    code = "NOT_FOUND"
    reason = "PICTURE_UNKNOWN"
    sentence = "There is no such picture. Choose one of the list."


class UploadRefused(DomainError):
    """The object store did not take the picture; the metadata `why` holds its answer."""

    reason = "UPLOAD_REFUSED"
    sentence = "The picture was not taken. Ask for a new form, and try again."


class PaymentRefused(DomainError):
    """The sandbox did not take the payment; the metadata `why` holds its code, such as `card_declined`."""

    reason = "PAYMENT_REFUSED"
    sentence = "The payment was not taken."


class EventsAway(DomainError):
    """There is no connection to NATS at the moment."""

    code = "UNAVAILABLE"
    reason = "EVENTS_AWAY"
    sentence = "Events cannot be heard at the moment. Try again in a moment."


def shape(refusal: DomainError) -> web.Response:
    """A refusal as the gateway writes its own."""
    body = {
        "code": refusal.code,
        "reason": refusal.reason,
        "message": refusal.sentence,
        "metadata": refusal.metadata,
        "violations": [{"field": field, "reason": why} for field, why in refusal.violations.items()],
    }
    return web.json_response(body, status=OTHER_HTTP.get(type(refusal), HTTP[refusal.code]))
