"""The metadata of the safety schema, with the messaging tables in it."""

from unora_common.tables import metadata as schema

metadata = schema("safety", functions=("open_audit_chain",))

PATTERNS = (
    "pattern IN ('interest_flood', 'bad_faith_endings', 'many_blocks', 'many_reports', 'shared_device',"
    " 'payment_abuse', 'outlier', 'chargebacks', 'under_age_date', 'suspended_before')"
)
"""The patterns of flags (SA-04).

What is written for each event has this check, and no foreign key to `flag_rules`: each insert would lock the rule's row
there, and all members share it.
"""
