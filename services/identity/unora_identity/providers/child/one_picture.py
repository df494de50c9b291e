"""XX-07: the life of a process that has one picture: judge it, say what memory it needs, decode it, answer, end."""

import os
import socket
import traceback
from contextlib import suppress
from typing import Final, NoReturn

from unora_identity.providers.child import limits
from unora_identity.providers.child.frames import (
    GO,
    REQUEST,
    Answer,
    Failed,
    Found,
    Needs,
    TooLarge,
    TooSmall,
    Unreadable,
    pack_answer,
)
from unora_identity.providers.child.inspector import PictureInspector
from unora_identity.providers.formats.judge import judge
from unora_identity.providers.pictures import (
    PhotoTooLarge,
    PhotoTooSmall,
    PhotoUnreadable,
    Picture,
    VisionPolicy,
)

_CHANNEL: Final = 3
_WAITS: Final = 10
_MOST_FILES: Final = 256


def serve_one(talk: socket.socket, inspector: PictureInspector, parent: int) -> NoReturn:
    """In a process forked by `parent`; it ends here."""
    with suppress(BaseException):
        policy = inspector.policy
        talk = _only_this_file(talk)
        limits.give_up(parent, policy.cpu_seconds, policy.wall_seconds)
        answer = _answer(talk, inspector, policy)
        talk.sendall(pack_answer(answer))
    os._exit(0)


def _only_this_file(talk: socket.socket) -> socket.socket:
    """Closes all files but this one: the control socket, other pictures' sockets, the service's terminal."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(talk.detach(), _MOST_FILES)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.dup2(_MOST_FILES, _CHANNEL)
    os.closerange(_CHANNEL + 1, _MOST_FILES + 1)
    return socket.socket(fileno=_CHANNEL)


def _answer(talk: socket.socket, inspector: PictureInspector, policy: VisionPolicy) -> Answer:
    try:
        return Found(_inspected(talk, inspector, policy))
    except PhotoUnreadable:
        return Unreadable()
    except PhotoTooLarge as refusal:
        return TooLarge({limit: int(most) for limit, most in refusal.metadata.items()})
    except PhotoTooSmall as refusal:
        return TooSmall(int(refusal.metadata["least_side"]))
    except MemoryError:
        return Unreadable()
    except Exception:  # told to the service, which raises it
        return Failed(traceback.format_exc(limit=-20))


def _inspected(talk: socket.socket, inspector: PictureInspector, policy: VisionPolicy) -> Picture:
    limits.limit_memory(4 * policy.most_bytes + policy.spare_memory)
    new, length = REQUEST.unpack(_exactly(talk, REQUEST.size))
    if length > policy.most_bytes:
        raise PhotoTooLarge(most_bytes=policy.most_bytes)
    header = judge(_exactly(talk, length), policy, new=new)
    needed = header.memory + policy.spare_memory
    limits.limit_wall_time(_WAITS * policy.wall_seconds)  # others' pictures may be in work until then
    talk.sendall(pack_answer(Needs(needed)))
    if talk.recv(1) != GO:  # the service is gone, or wants this picture no more
        os._exit(0)
    limits.limit_memory(needed)
    limits.limit_wall_time(policy.wall_seconds)
    return inspector.inspect(header)


def _exactly(talk: socket.socket, length: int) -> bytes:
    whole = bytearray(length)
    view = memoryview(whole)
    done = 0
    while done < length:
        received = talk.recv_into(view[done:])
        if not received:
            raise EOFError
        done += received
    return bytes(whole)
