from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Contract(_message.Message):
    __slots__ = ("package", "version", "files", "claims", "retired")
    PACKAGE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    CLAIMS_FIELD_NUMBER: _ClassVar[int]
    RETIRED_FIELD_NUMBER: _ClassVar[int]
    package: str
    version: int
    files: _containers.RepeatedCompositeFieldContainer[_descriptor_pb2.FileDescriptorProto]
    claims: _containers.RepeatedCompositeFieldContainer[Claim]
    retired: _containers.RepeatedCompositeFieldContainer[RetiredField]
    def __init__(self, package: _Optional[str] = ..., version: _Optional[int] = ..., files: _Optional[_Iterable[_Union[_descriptor_pb2.FileDescriptorProto, _Mapping]]] = ..., claims: _Optional[_Iterable[_Union[Claim, _Mapping]]] = ..., retired: _Optional[_Iterable[_Union[RetiredField, _Mapping]]] = ...) -> None: ...

class ContractSet(_message.Message):
    __slots__ = ("contracts",)
    CONTRACTS_FIELD_NUMBER: _ClassVar[int]
    contracts: _containers.RepeatedCompositeFieldContainer[Contract]
    def __init__(self, contracts: _Optional[_Iterable[_Union[Contract, _Mapping]]] = ...) -> None: ...

class Claim(_message.Message):
    __slots__ = ("item", "name", "form")
    ITEM_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    item: str
    name: str
    form: str
    def __init__(self, item: _Optional[str] = ..., name: _Optional[str] = ..., form: _Optional[str] = ...) -> None: ...

class RetiredField(_message.Message):
    __slots__ = ("message", "field", "form")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    message: str
    field: _descriptor_pb2.FieldDescriptorProto
    form: str
    def __init__(self, message: _Optional[str] = ..., field: _Optional[_Union[_descriptor_pb2.FieldDescriptorProto, _Mapping]] = ..., form: _Optional[str] = ...) -> None: ...
