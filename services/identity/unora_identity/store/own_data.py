"""ID-10: what identity keeps of a member and gives for their export. docs/export.md says what each field means."""

from __future__ import annotations

from collections.abc import Callable

from unora_common.member_export import Fields, Section

ACCOUNT = """
    SELECT created_at AS place_at, '' AS place_key, id AS user_id, phone_sealed, data_key, created_at, tier,
        active_connection_count, connection_limit, last_global_refresh_at, refresh_available_at,
        last_used_at, paused_at, closed_at
    FROM identity.users WHERE id = $1 AND deleted_at IS NULL"""
ROLES = """
    SELECT granted_at AS place_at, role AS place_key, role, granted_at FROM identity.roles WHERE user_id = $1"""
# Why a session ended may be a suspension, which is a standing (SA-03).
SESSIONS = """
    SELECT started_at AS place_at, id::text AS place_key, id AS session_id, started_at, revoked_at AS ended_at
    FROM identity.sessions WHERE user_id = $1"""
KNOWN_DEVICES = """
    SELECT seen_at AS place_at, encode(device_digest, 'hex') AS place_key, seen_at
    FROM identity.past_devices WHERE user_id = $1"""
PROFILE = """
    SELECT 'epoch'::timestamptz AS place_at, '' AS place_key,
        name, date_of_birth, gender, city, place_id, country, bio, occupation, time_zone
    FROM identity.profiles WHERE user_id = $1 AND deleted_at IS NULL"""
HOBBIES = """
    SELECT 'epoch'::timestamptz AS place_at, h.hobby_option_id AS place_key,
        h.position, h.hobby_option_id, o.name AS hobby, h.micro_description, h.hidden
    FROM identity.hobbies h JOIN identity.hobby_options o ON o.id = h.hobby_option_id
    WHERE h.user_id = $1 AND h.deleted_at IS NULL"""
# Not the rows of deleted photos: they stay without their objects, for the reveals that showed them (RE-12).
PHOTOS = """
    SELECT created_at AS place_at, id::text AS place_key, id AS photo_id, 'photos/' || id || '.jpg' AS file, position,
        has_face, quality_passed, width, height, created_at
    FROM identity.photos WHERE user_id = $1 AND deleted_at IS NULL"""
# Never the token: it is a secret of the app.
PUSH_DEVICES = """
    SELECT d.registered_at AS place_at, d.id::text AS place_key, d.platform, d.locale, d.registered_at, d.session_id
    FROM identity.push_devices d JOIN identity.sessions s ON s.id = d.session_id WHERE s.user_id = $1"""
NOTIFICATION_SETTINGS = """
    SELECT 'epoch'::timestamptz AS place_at, '' AS place_key, muted, quiet_from, quiet_until, locale
    FROM identity.notification_settings WHERE user_id = $1"""
VERIFICATION_SIGNALS = """
    SELECT created_at AS place_at, id::text AS place_key, signal_type, provider, opaque_token AS provider_reference,
        outcome, created_at, decided_at
    FROM identity.verification_signals WHERE user_id = $1 AND deleted_at IS NULL"""
GOV_ID_CHECKS = """
    SELECT started_at AS place_at, id::text AS place_key, provider, outcome, started_at, decided_at
    FROM identity.gov_id_checks WHERE user_id = $1"""


def sections(open_phone: Callable[[Fields], Fields]) -> tuple[Section, ...]:
    """The sections of identity. `open_phone` puts the number in the place of what it is sealed in."""
    return (
        Section("account", ACCOUNT, open_phone),
        Section("roles", ROLES),
        Section("sessions", SESSIONS),
        Section("known_devices", KNOWN_DEVICES),
        Section("profile", PROFILE),
        Section("hobbies", HOBBIES),
        Section("photos", PHOTOS),
        Section("push_devices", PUSH_DEVICES),
        Section("notification_settings", NOTIFICATION_SETTINGS),
        Section("verification_signals", VERIFICATION_SIGNALS),
        Section("gov_id_checks", GOV_ID_CHECKS),
    )
