"""Who may hear of each event, and what of it: the page shows a member their own events, and nothing that REST does not
show them.

A new event is heard by nobody until it has an entry here; a test asks for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Known = Literal["pair of connection", "payer of payment"]
"""What the database says of an id, where the event names no member."""


@dataclass(frozen=True)
class To:
    """Members may hear of it: those whom the fields `members` name, and those whom `asked` finds by the id in the field
    `by`.
    """

    members: tuple[str, ...] = ()
    asked: Known | None = None
    by: str = ""
    without: tuple[str, ...] = ()
    """Fields that no member gets."""
    private: Mapping[str, str] = field(default_factory=dict)
    """Fields that one of the members alone gets, each with the field that names this one."""


@dataclass(frozen=True)
class Nobody:
    """No member hears of it through the page."""

    reason: str


ALWAYS_WITHOUT: Final = "version"
"""It counts the events of its aggregate, also those that the member does not hear of."""
OWN: Final = To(("user_id",))
PAIR: Final = To(("user_a_id", "user_b_id"))
PAYER: Final = To(("payer_id",))
OF_DEVICE: Final = To(("user_id",), without=("device_digest",))
OF_CLOSING: Final = To(("user_id",), without=("phone_digest", "device_digest"))
PAYER_ASKED: Final = To(asked="payer of payment", by="payment_id")

INTERESTS: Final = Nobody("MA-10: its receiver must not learn of it, and its sender knows the receiver by a card only")
GONE: Final = Nobody("the account is closed, so that nobody is signed in to it")
RECEIPT: Final = Nobody("ID-09: a receipt between contexts, about a member who is gone")
FOR_SAFETY: Final = Nobody("SA-02, SA-03, SA-07: no member ever sees it")
BANK: Final = Nobody("BI-10: what a bank asks or takes back is evidence for moderators")

IDENTITY: Final[Mapping[str, To | Nobody]] = {
    "AccountCreated": OF_CLOSING,
    "SessionOpened": OF_DEVICE,
    "NewDeviceSignedIn": OWN,
    "PhoneChanged": OWN,
    "SessionRevoked": OWN,
    "DiscoveryProfileChanged": OWN,
    "TextsReviewed": OWN,
    "UnderAgeDateReplaced": Nobody("SA-04: a sign that safety looks at, which the member is not told of"),
    "PhotoAdded": OWN,
    "RoleGranted": OWN,
    "RoleRevoked": OWN,
    "SecondFactorChanged": OWN,
    "SecondFactorRefused": OWN,
    "AdminSignedIn": OWN,
    "IdentityDisclosed": PAIR,
    "DisclosureEnded": To(asked="pair of connection", by="connection_id"),
    "VerificationSignalRecorded": OWN,
    "SuspensionChanged": OWN,
    "AccountPaused": OWN,
    "AccountResumed": OWN,
    "AccountClosed": OF_CLOSING,
    "AccountHidden": Nobody("ID-13: it names the new account of the number, for safety alone"),
    "AccountReopened": OWN,
    "AccountErasureRequested": GONE,
    "AccountErased": GONE,
}
DISCOVERY: Final[Mapping[str, To | Nobody]] = {
    "ServerJoined": OWN,
    "BatchRefreshed": OWN,
    "ServerLeft": OWN,
    "RefreshTimerChanged": OWN,
    "MemberErasedFromDiscovery": RECEIPT,
}
MATCHING: Final[Mapping[str, To | Nobody]] = {
    "InterestSent": INTERESTS,
    "InterestClosed": INTERESTS,
    # MA-11, MA-12, SA-03: it leaves void interests out, so that the sender would learn of them.
    "InterestsWiped": To(("user_id",), without=("wiped_count",)),
    "InventoryChanged": OWN,
    "ConnectionFormed": PAIR,
    # MA-09, MA-12: to both an ending looks the same, whoever ended it and why.
    "ConnectionEnded": To(PAIR.members, without=("ended_by_id", "cause", "acted_at")),
    "ChatUnlocked": PAIR,
    "MemberErasedFromMatching": RECEIPT,
}
STREAK: Final[Mapping[str, To | Nobody]] = {
    "StreakStarted": PAIR,
    "CycleBegan": PAIR,
    "CheckedIn": To(PAIR.members, private={"effort_signal": "user_id"}),
    "DayCompleted": PAIR,
    "DayBegan": PAIR,
    "DayEndsSoon": PAIR,
    "StreakAtRisk": PAIR,
    "PaymentWindowOpened": PAIR,
    "StreakReset": PAIR,
    "StreakCompleted": PAIR,
    "StreakTerminated": PAIR,
    # ST-20: that a payment is under way is shown to its payer only.
    "RecoveryHeld": To(("breaker_user_id",)),
    "RecoveryReleased": PAYER_ASKED,
    "StreakRecovered": To(PAIR.members, private={"payment_id": "breaker_user_id"}),
    "RecoveryRejected": PAYER_ASKED,
    "NudgeSent": To(("sender_id", "receiver_id"), private={"payment_id": "sender_id"}),
    "NudgeRejected": PAYER_ASKED,
    "MemberErasedFromStreak": RECEIPT,
}
REVEAL: Final[Mapping[str, To | Nobody]] = {
    # RE-03: what one of the two earns, buys or opens changes nothing for the other.
    "RevealEarned": OWN,
    "RevealUnlocked": OWN,
    "RevealPurchased": OWN,
    "PurchaseRejected": OWN,
    "PersonalityChanged": OWN,
    "MemberErasedFromReveal": RECEIPT,
}
BILLING: Final[Mapping[str, To | Nobody]] = {
    "TierChanged": OWN,
    "SubscriptionChanged": OWN,
    "CreditsChanged": OWN,
    "PaymentCreated": PAYER,
    "PaymentSent": PAYER,
    "PaymentSucceeded": PAYER,
    "PaymentFailed": PAYER,
    "PaymentApplied": PAYER,
    "PaymentCredited": PAYER,
    "ReversalRecorded": BANK,
    "PaymentMismatched": BANK,
    "MismatchResolved": BANK,
    "ProtectionOpened": PAYER,
    "ProtectionClosed": Nobody("MA-09: it says whether the partner ended the connection; the credits are told"),
    "MemberErasedFromBilling": RECEIPT,
}
SAFETY: Final[Mapping[str, To | Nobody]] = dict.fromkeys(
    (
        *("AuditHeadsExported", "MemberBlocked", "MemberUnblocked", "MemberReported", "FlagRaised", "CaseOpened"),
        *("CaseAssigned", "CaseDecided", "RestrictionChanged", "AppealSubmitted"),
    ),
    FOR_SAFETY,
) | {"MemberErasedFromSafety": RECEIPT}

HEARERS: Final[Mapping[str, To | Nobody]] = {
    f"unora.{context}.v1.{name}": entry
    for context, entries in {
        "identity": IDENTITY,
        "discovery": DISCOVERY,
        "matching": MATCHING,
        "streak": STREAK,
        "reveal": REVEAL,
        "billing": BILLING,
        "safety": SAFETY,
    }.items()
    for name, entry in entries.items()
}
"""By the full name of the event's message."""
