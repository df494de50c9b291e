"""SA-11: exports of audit heads, their signatures, and chains that must lead through them."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from joserfc import jws
from joserfc.jwk import ECKey
from unora_common.ids import uuid7
from unora_safety.domain.chain import START, Chain, Head, SourceEvent, link
from unora_safety.domain.chain_verifier import ChainVerifier
from unora_safety.domain.head_exports import ExportUnreadable, HeadExport, from_document, make_export, to_document
from unora_safety.providers.head_signer import TYPE, HeadSigner, SignatureInvalid
from unora_safety.use_cases.audit_exports import ExportsContradict, read_checkpoints

pytestmark = pytest.mark.rule("SA-11")
NOW = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)
EXPORT = HeadExport(NOW, {"billing": Head(7, b"h" * 32), "streak": Head(2, b"s" * 32)})


def pem(*, private: bool = True, curve: Literal["P-256", "P-384"] = "P-256") -> str:
    return ECKey.generate_key(curve).as_pem(private=private).decode()


@pytest.fixture(scope="module")
def signer() -> HeadSigner:
    return HeadSigner([pem()])


def chain_of(count: int, salt: bytes = b"") -> list[Any]:
    events = [
        SourceEvent(uuid7(), "unora.billing.v1.thing_paid", uuid7(), NOW, salt + bytes([n])) for n in range(count)
    ]
    return link("billing", START, events, NOW)


def test_an_export_leaves_out_empty_chains() -> None:
    chains = [Chain("billing", Head(7, b"h" * 32), 7, NOW), Chain("reveal", START, 0, None)]
    assert make_export(chains, NOW) == HeadExport(NOW, {"billing": Head(7, b"h" * 32)})


def test_an_export_is_read_as_it_was_written(signer: HeadSigner) -> None:
    assert from_document(signer.verify(signer.sign(to_document(EXPORT)))) == EXPORT


@pytest.mark.parametrize(
    "change",
    [
        {"format": "something else"},
        {"chains": [{"source_context": "billing", "length": True, "head_hash": "00" * 32}]},
        {"chains": [{"source_context": "billing", "length": 0, "head_hash": "00" * 32}]},
        {"chains": [{"source_context": "billing", "length": 3, "head_hash": "00"}]},
        {"chains": [{"source_context": "billing", "length": 3}]},
        {"chains": 5},
        {"exported_at": "yesterday"},
        {"exported_at": "2026-11-29T03:00:00"},
    ],
)
def test_a_signed_document_that_is_no_export_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ExportUnreadable):
        from_document(to_document(EXPORT) | change)


def test_an_export_of_an_unknown_key_is_refused(signer: HeadSigner) -> None:
    foreign = HeadSigner([pem()]).sign(to_document(EXPORT))
    with pytest.raises(SignatureInvalid, match="not signed by a key of UNORA_AUDIT_KEY"):
        signer.verify(foreign)


def test_an_export_whose_text_was_changed_is_refused(signer: HeadSigner) -> None:
    header, _, signature = signer.sign(to_document(EXPORT)).split(".")
    other = signer.sign(to_document(HeadExport(NOW, {"billing": Head(8, b"x" * 32)}))).split(".")[1]
    with pytest.raises(SignatureInvalid):
        signer.verify(f"{header}.{other}.{signature}")


def test_an_unsigned_export_is_refused(signer: HeadSigner) -> None:
    key_id = signer.public_keys()["keys"][0]["kid"]
    header = {"alg": "none", "typ": TYPE, "kid": key_id}
    parts = [jws_part(header), jws_part(to_document(EXPORT)), ""]
    with pytest.raises(SignatureInvalid):
        signer.verify(".".join(parts))


def jws_part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("text", ["", "a", "a.b.c", "....", "é", "e30.e30.", "x" * 200_000, "[" * 5000])
def test_a_text_that_is_no_signed_document_is_refused(signer: HeadSigner, text: str) -> None:
    with pytest.raises(SignatureInvalid):
        signer.verify(text)


def test_an_export_of_an_earlier_key_is_accepted_as_long_as_the_key_is_known() -> None:
    old, new = ECKey.generate_key("P-256"), pem()
    signed = HeadSigner([old.as_pem(private=True).decode()]).sign(to_document(EXPORT))
    signer = HeadSigner([new, old.as_pem(private=False).decode()])
    assert from_document(signer.verify(signed)) == EXPORT


def test_others_can_verify_an_export_by_the_public_keys(signer: HeadSigner) -> None:
    (public,) = signer.public_keys()["keys"]
    assert "d" not in public, "a private key was printed"
    found = jws.deserialize_compact(signer.sign(to_document(EXPORT)), ECKey.import_key(public), algorithms=["ES256"])
    assert json.loads(found.payload) == to_document(EXPORT)


@pytest.mark.parametrize("keys", [[], ["no key"], [pem(private=False)], [pem(curve="P-384")]])
def test_only_private_keys_on_the_right_curve_can_sign(keys: list[str]) -> None:
    with pytest.raises(ValueError, match="key"):
        HeadSigner(keys)


def test_a_chain_that_leads_through_the_exported_heads_is_accepted() -> None:
    entries = chain_of(7)
    verifier = ChainVerifier(checkpoints={3: entries[2].hash, 7: entries[6].hash})
    verifier.check(entries)
    assert (verifier.finish(Head(7, entries[6].hash)), verifier.differs_at) == (0, 0)


def test_a_rewritten_chain_is_found_at_the_exported_head() -> None:
    before, after = chain_of(7), chain_of(9, b"rewritten")
    verifier = ChainVerifier(checkpoints={3: before[2].hash, 5: before[4].hash})
    verifier.check(after)
    assert (verifier.finish(Head(9, after[8].hash)), verifier.differs_at) == (0, 3)


def test_a_chain_that_was_cut_with_its_head_is_found() -> None:
    entries = chain_of(7)
    verifier = ChainVerifier(checkpoints={7: entries[6].hash})
    verifier.check(entries[:4])
    assert (verifier.finish(Head(4, entries[3].hash)), verifier.differs_at) == (0, 7)


def test_exports_that_contradict_each_other_are_refused(signer: HeadSigner) -> None:
    signed = [signer.sign(to_document(HeadExport(NOW, {"billing": Head(7, each * 32)}))) for each in (b"a", b"b")]
    with pytest.raises(ExportsContradict):
        read_checkpoints(signer, signed)
