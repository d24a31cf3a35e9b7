from weft.v1 import function_pb2 as _function_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SetSecretRequest(_message.Message):
    __slots__ = ("namespace", "function", "key", "value", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    function: str
    key: str
    value: bytes
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., function: _Optional[str] = ..., key: _Optional[str] = ..., value: _Optional[bytes] = ..., request_id: _Optional[str] = ...) -> None: ...

class SetSecretResponse(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: int
    def __init__(self, version: _Optional[int] = ...) -> None: ...

class ListSecretsRequest(_message.Message):
    __slots__ = ("namespace", "consistency")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    consistency: _function_pb2.Consistency
    def __init__(self, namespace: _Optional[str] = ..., consistency: _Optional[_Union[_function_pb2.Consistency, str]] = ...) -> None: ...

class ListSecretsResponse(_message.Message):
    __slots__ = ("secrets", "freshness", "key_id")
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    secrets: _containers.RepeatedCompositeFieldContainer[_function_pb2.Secret]
    freshness: _function_pb2.Freshness
    key_id: str
    def __init__(self, secrets: _Optional[_Iterable[_Union[_function_pb2.Secret, _Mapping]]] = ..., freshness: _Optional[_Union[_function_pb2.Freshness, _Mapping]] = ..., key_id: _Optional[str] = ...) -> None: ...

class DeleteSecretRequest(_message.Message):
    __slots__ = ("namespace", "function", "key", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    function: str
    key: str
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., function: _Optional[str] = ..., key: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteSecretResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ResealSecretsRequest(_message.Message):
    __slots__ = ("namespace",)
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    def __init__(self, namespace: _Optional[str] = ...) -> None: ...

class ResealSecretsResponse(_message.Message):
    __slots__ = ("resealed", "unreadable", "key_id")
    RESEALED_FIELD_NUMBER: _ClassVar[int]
    UNREADABLE_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    resealed: _containers.RepeatedCompositeFieldContainer[_function_pb2.Secret]
    unreadable: _containers.RepeatedCompositeFieldContainer[_function_pb2.Secret]
    key_id: str
    def __init__(self, resealed: _Optional[_Iterable[_Union[_function_pb2.Secret, _Mapping]]] = ..., unreadable: _Optional[_Iterable[_Union[_function_pb2.Secret, _Mapping]]] = ..., key_id: _Optional[str] = ...) -> None: ...
