"""The identity service: accounts, profiles, photos, and which members may see each other."""

from __future__ import annotations

from unora_common.service import Service

from unora_identity.config import IdentityConfig
from unora_identity.consumers.erasures import ReceiptEvents
from unora_identity.consumers.pairs import PairEvents
from unora_identity.consumers.projections import ProjectionEvents
from unora_identity.consumers.restrictions import RestrictionEvents
from unora_identity.domain.hobbies import HobbyUnknown
from unora_identity.domain.phone_codes import PhoneTaken
from unora_identity.domain.photos import TooManyPhotos
from unora_identity.domain.signals import OAuthAlreadyLinked
from unora_identity.jobs.clean_up import CleanUpJobs
from unora_identity.jobs.erasures import ErasureGauges, ErasureJobs
from unora_identity.jobs.exports import ExportJobs
from unora_identity.jobs.phone_key import PhoneKeyWatch
from unora_identity.jobs.profiles import BirthdayJobs, PhotoJobs, PlaceJobs, TextJobs
from unora_identity.metrics import METRICS
from unora_identity.resources import make_resources
from unora_identity.servicers.accounts import Accounts
from unora_identity.servicers.commands import make_admin, revoke_admin
from unora_identity.servicers.devices import Devices, NotificationDirectory
from unora_identity.servicers.directory import Directory
from unora_identity.servicers.exports import Exports
from unora_identity.servicers.places import Places
from unora_identity.servicers.profiles import Profiles
from unora_identity.servicers.projections import Projections
from unora_identity.servicers.rebuild import rebuild
from unora_identity.servicers.verification import Verification
from unora_identity.servicers.webhooks import Webhooks
from unora_identity.use_cases.revocations import list_all_recent

service = Service(
    "identity",
    config=IdentityConfig,
    servicers=[
        *(Accounts, Profiles, Places, Verification, Devices, Exports, Webhooks),
        *(Directory, NotificationDirectory, Projections),
    ],
    consumers=[PairEvents, RestrictionEvents, ProjectionEvents, ReceiptEvents],
    jobs=[BirthdayJobs, TextJobs, PhotoJobs, PlaceJobs, ExportJobs, CleanUpJobs, ErasureJobs],
    followers=[PhoneKeyWatch],
    gauges=[ErasureGauges],
    constraints={
        "ck_photos_position": TooManyPhotos,
        "fk_hobbies_hobby_option_id": HobbyUnknown,
        "uq_verification_signals_one_account": OAuthAlreadyLinked,
        "uq_users_phone_hash": PhoneTaken,
    },
    resources=make_resources,
    metrics=METRICS,
    keys=lambda runtime: runtime.resources.access_tokens.jwks(),
    revocations=list_all_recent,
    commands={"rebuild": rebuild, "make-admin": make_admin, "revoke-admin": revoke_admin},
)
