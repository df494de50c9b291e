"""The descriptor set that Envoy transcodes by: only what passes the gateway, and the types that this needs."""

from collections.abc import Iterable, Iterator

from google.api import annotations_pb2, http_pb2
from google.protobuf import any_pb2, descriptor_pb2, duration_pb2
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto, FileDescriptorSet, MethodOptions
from google.rpc import error_details_pb2, status_pb2

from unora_gateway.contract import passes

HTTP = annotations_pb2.http
KEPT_IMPORT = "google/api/annotations.proto"


def descriptor_set(files: FileDescriptorSet) -> FileDescriptorSet:
    """The files of the contract that declare open methods, and what they import; without internal methods, and without
    options other than the routes. google.rpc's details are in it: without them errors would lose their body.
    """
    known = {file.name: file for file in (*files.file, *_errors())}
    wanted = [file.name for file in files.file if _opens(file)]
    wanted += [error_details_pb2.DESCRIPTOR.name, status_pb2.DESCRIPTOR.name]
    pruned = FileDescriptorSet()
    for name in _with_imports(wanted, known):
        pruned.file.append(_pruned(known[name]))
    return pruned


def _opens(file: FileDescriptorProto) -> bool:
    return any(passes(method.options) for service in file.service for method in service.method)


def _errors() -> Iterator[FileDescriptorProto]:
    modules: list[FileDescriptor] = [
        descriptor_pb2.DESCRIPTOR,
        any_pb2.DESCRIPTOR,
        duration_pb2.DESCRIPTOR,
        http_pb2.DESCRIPTOR,
        annotations_pb2.DESCRIPTOR,
        status_pb2.DESCRIPTOR,
        error_details_pb2.DESCRIPTOR,
    ]
    for module in modules:
        proto = FileDescriptorProto()
        module.CopyToProto(proto)
        yield proto


def _with_imports(names: Iterable[str], known: dict[str, FileDescriptorProto]) -> list[str]:
    """The files and what they need, each after its imports. Imports that only declare options are left out."""
    ordered: list[str] = []

    def add(name: str) -> None:
        if name not in ordered:
            for needed in _imports(known[name]):
                add(needed)
            ordered.append(name)

    for name in names:
        add(name)
    return ordered


def _imports(file: FileDescriptorProto) -> list[str]:
    """The imports that are types; and that of the routes, for our own files that have some."""
    ours = file.package.startswith("unora.")
    if not ours:
        return list(file.dependency)
    options_only = ("buf/validate/", "unora/common/v1/options.proto", KEPT_IMPORT)
    types = [name for name in file.dependency if not name.startswith(options_only)]
    return [*types, KEPT_IMPORT] if _opens(file) else types


def _pruned(file: FileDescriptorProto) -> FileDescriptorProto:
    copy = FileDescriptorProto()
    copy.CopyFrom(file)
    copy.ClearField("source_code_info")
    if not file.package.startswith("unora."):
        return copy
    copy.ClearField("dependency")
    copy.dependency.extend(_imports(file))
    copy.ClearField("options")
    for message in copy.message_type:
        _without_options(message)
    for enum in copy.enum_type:
        enum.ClearField("options")
    del copy.service[:]
    for service in file.service:
        if any(passes(method.options) for method in service.method):
            kept = copy.service.add(name=service.name)
            for method in service.method:
                if passes(method.options):
                    own = kept.method.add(
                        name=method.name, input_type=method.input_type, output_type=method.output_type
                    )
                    own.options.CopyFrom(_only_route(method.options))
    return copy


def _only_route(options: MethodOptions) -> MethodOptions:
    kept = MethodOptions()
    kept.Extensions[HTTP].CopyFrom(options.Extensions[HTTP])
    return kept


def _without_options(message: DescriptorProto) -> None:
    is_entry = message.options.map_entry
    message.ClearField("options")
    if is_entry:
        message.options.map_entry = True
    for field in message.field:
        field.ClearField("options")
    for oneof in message.oneof_decl:
        oneof.ClearField("options")
    for enum in message.enum_type:
        enum.ClearField("options")
    for nested in message.nested_type:
        _without_options(nested)
