"""Generates libs/protos: messages, clients, type stubs, and the descriptor image that `buf` checks. Needs no network.

The protos import google.api, google.type and buf.validate: their descriptors come out of the installed packages, so
that no third-party .proto is copied into this repository.
"""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FileDescriptor

ROOT = Path(__file__).resolve().parent
OUT = ROOT.parent / "libs" / "protos"
IMPORTS = (
    "google.api.annotations_pb2",
    "google.api.httpbody_pb2",
    "google.type.date_pb2",
    "google.protobuf.descriptor_pb2",
    "google.protobuf.duration_pb2",
    "google.protobuf.empty_pb2",
    "google.protobuf.field_mask_pb2",
    "google.protobuf.struct_pb2",
    "google.protobuf.timestamp_pb2",
)


def third_party() -> descriptor_pb2.FileDescriptorSet:
    """Descriptors of all imports that are not ours, each after what it imports itself."""
    validate = importlib.import_module("protovalidate._gen.buf.validate.validate_pb")
    files: dict[str, descriptor_pb2.FileDescriptorProto] = {}

    def add(file: FileDescriptor) -> None:
        for dependency in file.dependencies:
            add(dependency)
        proto = descriptor_pb2.FileDescriptorProto()
        file.CopyToProto(proto)
        files.setdefault(file.name, proto)

    for module in IMPORTS:
        add(importlib.import_module(module).DESCRIPTOR)
    proto = descriptor_pb2.FileDescriptorProto.FromString(validate.desc().proto.to_binary())
    files[proto.name] = proto
    return descriptor_pb2.FileDescriptorSet(file=files.values())


def protoc(descriptors: Path, arguments: Iterable[str]) -> None:
    """Runs the protoc of grpcio-tools with our include path and the descriptors of the imports."""
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT}", f"--descriptor_set_in={descriptors}", *arguments]
    plugins = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
    if subprocess.run(command, env={**os.environ, "PATH": plugins}).returncode:
        sys.exit("protos: protoc refused the contract, see above")  # it says file and line itself


def generate(out: Path) -> None:
    """Writes modules, stubs and `image.binpb` into a fresh folder and puts it where `out` was."""
    ours = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "unora").rglob("*.proto"))
    services = [path for path in ours if path.endswith("_service.proto")]
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        fresh = Path(folder) / "protos"
        fresh.mkdir()
        descriptors = Path(folder) / "imports.binpb"
        descriptors.write_bytes(third_party().SerializeToString())
        validate = "buf/validate/validate.proto"
        protoc(descriptors, [f"--python_out={fresh}", f"--mypy_out=quiet:{fresh}", *ours, validate])
        protoc(descriptors, [f"--grpc_python_out={fresh}", f"--mypy_grpc_out=only_async,quiet:{fresh}", *services])
        protoc(descriptors, ["--include_imports", "--include_source_info", "-o", str(fresh / "image.binpb"), *ours])
        fresh.chmod(0o755)
        shutil.rmtree(out, ignore_errors=True)
        fresh.rename(out)


if __name__ == "__main__":
    generate(OUT)
