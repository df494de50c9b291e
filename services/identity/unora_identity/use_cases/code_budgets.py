"""ID-02, ID-11: what one code, or one try, may use up, for strangers and for devices that the account knows."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from unora_common.database import Tx

from unora_identity.domain.code_budgets import Asker, allowed_codes, require_codes_left
from unora_identity.domain.phone_codes import Challenge
from unora_identity.domain.policy import Policy
from unora_identity.store import code_budgets, devices, wrong_codes


async def find_known_device(tx: Tx, phone_hashes: Sequence[bytes], device: bytes | None) -> bytes | None:
    """The device if the number's account knows it. The same is asked of the database whether there is an account."""
    if device is not None and await devices.is_known(tx, phone_hashes, device):
        return device
    return None


async def spend_code(tx: Tx, challenge: UUID, asker: Asker, policy: Policy) -> None:
    """ID-11: counts a code in the budgets of device, address, country and all. Raises TooManyCodes."""
    allowed = allowed_codes(asker.calling_code, policy)
    spent = await code_budgets.count(tx, asker, tx.now - policy.codes_window, allowed)
    require_codes_left(asker, spent, allowed, policy)
    code_budgets.spend(tx, challenge, asker)


async def count_wrong_codes(
    tx: Tx, challenge: Challenge, device: bytes | None, policy: Policy
) -> tuple[bytes | None, int]:
    """ID-02: in whose budget a try counts (a device that the account knows, or None for all strangers together), and
    how many wrong ones came in the last day.

    The device that asked for the code decides; the one that sends it only if strangers have used theirs up.
    """
    since = tx.now - policy.wrong_codes_window
    guesser = challenge.known_device
    wrong = await wrong_codes.count(tx, challenge.phone_hash, guesser, since)
    if wrong >= policy.wrong_codes and guesser is None:
        guesser = await find_known_device(tx, challenge.phone_hashes, device)
        if guesser is not None:
            wrong = await wrong_codes.count(tx, challenge.phone_hash, guesser, since)
    return guesser, wrong
