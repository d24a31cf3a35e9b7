"""What a server answers in place of a response."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from weft.v1 import function_pb2

M = TypeVar("M", bound=Message)

_STATUS = "grpc-status-details-bin"


@dataclass(frozen=True)
class Detail:
    """One typed detail of an error."""

    type: str
    """The full name of its message: "demo.orders.v1.Refusal"."""
    value: bytes
    """The message in protobuf's wire format."""

    def unpack(self, message: builtins.type[M]) -> M | None:
        """The detail as a message of a generated type, None if it is of another."""
        if message.DESCRIPTOR.full_name != self.type:
            return None
        return message.FromString(self.value)


class Error(Exception):
    """What a server answered in place of a response, or why there was no answer."""

    code: grpc.StatusCode
    reason: str
    """weft's own reason, such as "QUEUE_FULL" or "BREAKING_CHANGE". Empty for an error that the called function returned
    itself, and for one of the connection."""
    message: str
    """What went wrong, where, and what to do."""
    details: tuple[Detail, ...]
    """The typed details, without the one that carries the reason."""

    def __init__(
        self, code: grpc.StatusCode, message: str, reason: str = "", details: tuple[Detail, ...] = ()
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.reason, self.details = code, message, reason, details

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code.name}, {self.message!r}, {self.reason!r})"

    def detail(self, message: type[M]) -> M | None:
        """The first detail of a generated type, None if there is none."""
        return next((m for d in self.details if (m := d.unpack(message)) is not None), None)

    @property
    def changes(self) -> list[function_pb2.Change]:
        """The changes that a deploy was refused for, where the reason is "BREAKING_CHANGE"."""
        return [m for d in self.details if (m := d.unpack(function_pb2.Change)) is not None]


class DeadlineExceeded(Error, TimeoutError):
    """The deadline passed on the way or at the server. It is a TimeoutError, too."""


def of(failure: Any) -> Error:
    """The error of a grpc.RpcError, whichever API raised it."""
    code, message = failure.code(), failure.details() or ""
    reason, details = "", []
    for key, value in failure.trailing_metadata() or ():
        if key != _STATUS:
            continue
        for packed in status_pb2.Status.FromString(value).details:
            info = error_details_pb2.ErrorInfo()
            if packed.Is(info.DESCRIPTOR) and packed.Unpack(info) and info.domain == "weft":
                reason = info.reason
            else:
                details.append(Detail(packed.TypeName(), packed.value))
    kind = DeadlineExceeded if code is grpc.StatusCode.DEADLINE_EXCEEDED else Error
    return kind(code, message, reason, tuple(details))
