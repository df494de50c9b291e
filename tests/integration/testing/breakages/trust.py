"""Trust, and what a Gov ID locks."""

from tests.integration.testing.breakages.breakage import Breakage
from tests.integration.testing.breakages.story_rows import ALONE, CONNECTED

BREAKAGES = (
    Breakage("trust-by-its-signals", (f"UPDATE discovery.candidates SET trust_level = 2 WHERE user_id = {ALONE}",)),
    Breakage("trusted-for-a-streak", (f"DELETE FROM identity.verification_signals WHERE user_id = {CONNECTED}",)),
    Breakage(
        "gov-id-by-a-check",
        (
            f"""
            INSERT INTO identity.gov_id_checks VALUES (gen_random_uuid(), {ALONE}, gen_random_uuid(), 'played',
                sha256(''), clock.now(), 'verified', clock.now())
            """,
        ),
    ),
    Breakage(
        "only-verified-has-a-token",
        (
            f"""
            INSERT INTO identity.verification_signals (
                id, user_id, signal_type, provider, opaque_token, outcome, created_at)
            VALUES (gen_random_uuid(), {ALONE}, 'gov_id', 'played', 'left behind', 'pending', clock.now())
            """,
        ),
    ),
)
