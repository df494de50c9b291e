"""The commands of safety besides serving: exports of the audit log's heads, and its verification (SA-01, SA-11)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from unora_common.runtime import Runtime
from unora_common.service import Command

from unora_safety.config import SafetyConfig
from unora_safety.domain.chain_verifier import VerifiedChain
from unora_safety.resources import Resources
from unora_safety.use_cases.audit_exports import read_checkpoints, sign_heads, write_document
from unora_safety.use_cases.audit_verification import verify_chains

PROGRESS_ROWS: Final = 50_000
"""Rows between two lines of progress."""
INTACT, BROKEN, REFUSED = 0, 1, 2

Checkpoints = Mapping[str, Mapping[int, bytes]]


async def _export(runtime: Runtime[SafetyConfig, Resources], options: argparse.Namespace) -> int:
    signer = runtime.resources.head_signer
    if options.public_keys:
        document = json.dumps(signer.public_keys(), indent=1)
    else:
        async with runtime.database.session() as db:
            document = await sign_heads(db, signer)
    if not options.output:
        print(document)
        return INTACT
    try:
        write_document(options.output, document)
    except OSError as error:
        print(f"export-audit-heads: {error}", file=sys.stderr)
        return REFUSED
    print(f"written to {options.output}")
    return INTACT


async def _verify(runtime: Runtime[SafetyConfig, Resources], options: argparse.Namespace) -> int:
    try:
        checkpoints = read_checkpoints(runtime.resources.head_signer, [file.read_text() for file in options.heads])
    except (OSError, ValueError) as error:  # also the refusals of an export, which are ValueErrors
        print(f"verify: an export was refused: {error}", file=sys.stderr)
        return REFUSED
    found = await _verify_all(runtime, checkpoints)
    for each in found:
        print(_describe(each, checkpoints.get(each.chain.source_context, {})))
    if any(each.broken_at or each.differs_at for each in found):
        print("verify: the audit log was tampered with", file=sys.stderr)
        return BROKEN
    print(f"verify: all chains are unbroken{' and lead through all exported heads' if options.heads else ''}")
    return INTACT


async def _verify_all(runtime: Runtime[SafetyConfig, Resources], checkpoints: Checkpoints) -> Sequence[VerifiedChain]:
    """Verifies all chains in steps, with a line of progress on stderr for each."""
    found = dict[str, VerifiedChain]()
    start = None
    while True:
        async with runtime.database.session() as db:
            step = await verify_chains(db, "", start, PROGRESS_ROWS, runtime.config.audit_verify_batch, checkpoints)
        for each in step.chains:
            earlier = found.get(each.chain.source_context)
            first = earlier.differs_at if earlier else 0
            found[each.chain.source_context] = replace(each, differs_at=first or each.differs_at)
        start = step.next
        if start is None:
            return list(found.values())
        print(f"{start.source_context}: {start.verified.length} rows verified so far", file=sys.stderr)


def _describe(each: VerifiedChain, checkpoints: Mapping[int, bytes]) -> str:
    context = each.chain.source_context
    if each.broken_at:
        return f"{context}: BROKEN: row {each.broken_at} is changed, missing or moved"
    if each.differs_at > each.chain.head.length:
        return f"{context}: CUT: it has {each.chain.head.length} rows, and an export had {each.differs_at}"
    if each.differs_at:
        return f"{context}: REWRITTEN: row {each.differs_at} is not the row that was exported"
    through = f", leads through the exported row {', '.join(map(str, sorted(checkpoints)))}" if checkpoints else ""
    return f"{context}: {each.verified_length} rows, unbroken{through}"


def _export_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it to a file instead of printing it")
    parser.add_argument(
        "--public-keys",
        action="store_true",
        help="print the public keys (JWK set) instead: they verify exports elsewhere",
    )


def _verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--heads",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="exports of the heads: the chains must lead through them, so a chain that was rewritten or cut is found",
    )


export_audit_heads: Command[SafetyConfig, Resources] = Command(
    "sign the heads of the audit chains of this moment and print them", _export_arguments, _export
)
verify: Command[SafetyConfig, Resources] = Command(
    "verify the audit log, also against exported heads; exit status 1 if tampered with",
    _verify_arguments,
    _verify,
)
