"""The identity service: accounts, profiles, photos, and who may see whom."""

from __future__ import annotations

from unora_common.service import Service

from unora_identity.config import IdentityConfig
from unora_identity.consumers.events import Pairs, Projections, Standing
from unora_identity.domain.hobbies import HobbyUnknown
from unora_identity.domain.photos import TooManyPhotos
from unora_identity.domain.signals import OAuthAlreadyLinked
from unora_identity.jobs import Birthdays, CleanUp
from unora_identity.resources import make_resources
from unora_identity.servicers.accounts import Accounts
from unora_identity.servicers.commands import make_admin
from unora_identity.servicers.directory import Directory, revoked_lately
from unora_identity.servicers.profiles import Profiles
from unora_identity.servicers.verification import Verification

service = Service(
    "identity",
    config=IdentityConfig,
    servicers=[Accounts, Profiles, Verification, Directory],
    consumers=[Pairs, Standing, Projections],
    jobs=[Birthdays, CleanUp],
    constraints={
        "ck_photos_position": TooManyPhotos,
        "fk_hobbies_hobby_option_id": HobbyUnknown,
        "uq_verification_signals_one_account": OAuthAlreadyLinked,
    },
    resources=make_resources,
    keys=lambda runtime: runtime.resources.tokens.jwks(),
    revocations=revoked_lately,
    commands={"make-admin": make_admin},
)
