"""Random zones, members, payments and times for property tests."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from .story import HOUR, INSTANT, OTHER_PAYMENT, PAYMENT, A, B

# Simple zones, and zones whose clocks change at or around midnight.
ZONES = [
    "UTC",
    "Europe/Berlin",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "America/Santiago",
    "America/Havana",
    "America/Nuuk",
    "Asia/Beirut",
    "Africa/Cairo",
    "Australia/Lord_Howe",
]
MEMBERS = st.sampled_from([A, B])
PAYMENTS = st.sampled_from([PAYMENT, OTHER_PAYMENT])
STARTS = st.datetimes(
    datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2027-12-01"), timezones=st.just(UTC)
)
WAITS = st.one_of(
    st.timedeltas(timedelta(0), timedelta(hours=30)),
    st.timedeltas(timedelta(0), timedelta(days=4)),
    st.sampled_from([timedelta(0), INSTANT, HOUR, 6 * HOUR, 24 * HOUR]),
)
