"""One request over HTTPS by Python's own library, which blocks: call it in a thread."""

from __future__ import annotations

from urllib.error import HTTPError
from urllib.request import Request, urlopen

from unora_common.provider_calls import ProviderCalls


def fetch(request: Request, timeout: float, most_bytes: int, calls: ProviderCalls) -> bytes:
    """The beginning of the body of the answer, up to `most_bytes`. `timeout` is in seconds. The caller has checked that
    the address is one of https. Raises OSError, as for a status that is no success; its text may quote the request.
    """
    with calls.call(request.get_method(), request.full_url) as call:
        try:
            with urlopen(request, timeout=timeout) as answer:  # noqa: S310 - https only, as the caller has checked
                body = bytes(answer.read(most_bytes))
                call.answered(answer.status)
        except HTTPError as error:
            call.answered(error.code)
            raise
        return body
