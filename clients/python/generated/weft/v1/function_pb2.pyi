import datetime

from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from weft.v1 import contract_pb2 as _contract_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Consistency(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONSISTENCY_UNSPECIFIED: _ClassVar[Consistency]
    CONSISTENCY_LINEARIZABLE: _ClassVar[Consistency]
    CONSISTENCY_STALE: _ClassVar[Consistency]
CONSISTENCY_UNSPECIFIED: Consistency
CONSISTENCY_LINEARIZABLE: Consistency
CONSISTENCY_STALE: Consistency

class Limits(_message.Message):
    __slots__ = ("memory_bytes", "timeout", "concurrency", "queue", "message_bytes", "reuse")
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    REUSE_FIELD_NUMBER: _ClassVar[int]
    memory_bytes: int
    timeout: _duration_pb2.Duration
    concurrency: int
    queue: int
    message_bytes: int
    reuse: int
    def __init__(self, memory_bytes: _Optional[int] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., concurrency: _Optional[int] = ..., queue: _Optional[int] = ..., message_bytes: _Optional[int] = ..., reuse: _Optional[int] = ...) -> None: ...

class Scheduling(_message.Message):
    __slots__ = ("replicas", "all", "spread", "require")
    class RequireEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REPLICAS_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    SPREAD_FIELD_NUMBER: _ClassVar[int]
    REQUIRE_FIELD_NUMBER: _ClassVar[int]
    replicas: int
    all: bool
    spread: _containers.RepeatedScalarFieldContainer[str]
    require: _containers.ScalarMap[str, str]
    def __init__(self, replicas: _Optional[int] = ..., all: _Optional[bool] = ..., spread: _Optional[_Iterable[str]] = ..., require: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Freshness(_message.Message):
    __slots__ = ("linearizable", "index", "stale")
    LINEARIZABLE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    linearizable: bool
    index: int
    stale: _duration_pb2.Duration
    def __init__(self, linearizable: _Optional[bool] = ..., index: _Optional[int] = ..., stale: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class DeploySpec(_message.Message):
    __slots__ = ("namespace", "name", "limits", "environment", "wit", "contracts", "allow_breaking", "dry_run", "wait", "request_id", "size", "scheduling", "bindings", "link")
    class EnvironmentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class BindingsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    WIT_FIELD_NUMBER: _ClassVar[int]
    CONTRACTS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_BREAKING_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SCHEDULING_FIELD_NUMBER: _ClassVar[int]
    BINDINGS_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    name: str
    limits: Limits
    environment: _containers.ScalarMap[str, str]
    wit: _containers.RepeatedCompositeFieldContainer[WitFile]
    contracts: _containers.RepeatedCompositeFieldContainer[_contract_pb2.Contract]
    allow_breaking: bool
    dry_run: bool
    wait: _duration_pb2.Duration
    request_id: str
    size: int
    scheduling: Scheduling
    bindings: _containers.ScalarMap[str, str]
    link: bool
    def __init__(self, namespace: _Optional[str] = ..., name: _Optional[str] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., environment: _Optional[_Mapping[str, str]] = ..., wit: _Optional[_Iterable[_Union[WitFile, _Mapping]]] = ..., contracts: _Optional[_Iterable[_Union[_contract_pb2.Contract, _Mapping]]] = ..., allow_breaking: _Optional[bool] = ..., dry_run: _Optional[bool] = ..., wait: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., request_id: _Optional[str] = ..., size: _Optional[int] = ..., scheduling: _Optional[_Union[Scheduling, _Mapping]] = ..., bindings: _Optional[_Mapping[str, str]] = ..., link: _Optional[bool] = ...) -> None: ...

class WitFile(_message.Message):
    __slots__ = ("path", "content")
    PATH_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    path: str
    content: bytes
    def __init__(self, path: _Optional[str] = ..., content: _Optional[bytes] = ...) -> None: ...

class DeployRequest(_message.Message):
    __slots__ = ("spec", "chunk")
    SPEC_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    spec: DeploySpec
    chunk: bytes
    def __init__(self, spec: _Optional[_Union[DeploySpec, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class DeployResponse(_message.Message):
    __slots__ = ("function", "changes", "ready", "warnings")
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    function: Function
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    ready: bool
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, function: _Optional[_Union[Function, _Mapping]] = ..., changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., ready: _Optional[bool] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class UpdateRequest(_message.Message):
    __slots__ = ("namespace", "name", "limits", "environment", "unset_environment", "wait", "request_id", "scheduling", "bindings", "link")
    class EnvironmentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class BindingsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    UNSET_ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SCHEDULING_FIELD_NUMBER: _ClassVar[int]
    BINDINGS_FIELD_NUMBER: _ClassVar[int]
    LINK_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    name: str
    limits: Limits
    environment: _containers.ScalarMap[str, str]
    unset_environment: _containers.RepeatedScalarFieldContainer[str]
    wait: _duration_pb2.Duration
    request_id: str
    scheduling: Scheduling
    bindings: _containers.ScalarMap[str, str]
    link: bool
    def __init__(self, namespace: _Optional[str] = ..., name: _Optional[str] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., environment: _Optional[_Mapping[str, str]] = ..., unset_environment: _Optional[_Iterable[str]] = ..., wait: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., request_id: _Optional[str] = ..., scheduling: _Optional[_Union[Scheduling, _Mapping]] = ..., bindings: _Optional[_Mapping[str, str]] = ..., link: _Optional[bool] = ...) -> None: ...

class UpdateResponse(_message.Message):
    __slots__ = ("function", "ready", "warnings")
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    function: Function
    ready: bool
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, function: _Optional[_Union[Function, _Mapping]] = ..., ready: _Optional[bool] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class GetRequest(_message.Message):
    __slots__ = ("namespace", "name", "consistency", "transcoder")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    TRANSCODER_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    name: str
    consistency: Consistency
    transcoder: bool
    def __init__(self, namespace: _Optional[str] = ..., name: _Optional[str] = ..., consistency: _Optional[_Union[Consistency, str]] = ..., transcoder: _Optional[bool] = ...) -> None: ...

class GetResponse(_message.Message):
    __slots__ = ("function", "freshness")
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    function: Function
    freshness: Freshness
    def __init__(self, function: _Optional[_Union[Function, _Mapping]] = ..., freshness: _Optional[_Union[Freshness, _Mapping]] = ...) -> None: ...

class ListRequest(_message.Message):
    __slots__ = ("namespace", "consistency")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    consistency: Consistency
    def __init__(self, namespace: _Optional[str] = ..., consistency: _Optional[_Union[Consistency, str]] = ...) -> None: ...

class ListResponse(_message.Message):
    __slots__ = ("functions", "freshness")
    FUNCTIONS_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    functions: _containers.RepeatedCompositeFieldContainer[Function]
    freshness: Freshness
    def __init__(self, functions: _Optional[_Iterable[_Union[Function, _Mapping]]] = ..., freshness: _Optional[_Union[Freshness, _Mapping]] = ...) -> None: ...

class RouteRequest(_message.Message):
    __slots__ = ("namespace", "service", "name", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    service: str
    name: str
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., service: _Optional[str] = ..., name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class RouteResponse(_message.Message):
    __slots__ = ("previous",)
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    previous: str
    def __init__(self, previous: _Optional[str] = ...) -> None: ...

class DeleteRequest(_message.Message):
    __slots__ = ("namespace", "name", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    name: str
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteResponse(_message.Message):
    __slots__ = ("revisions",)
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    revisions: int
    def __init__(self, revisions: _Optional[int] = ...) -> None: ...

class ForgetRequest(_message.Message):
    __slots__ = ("namespace", "package", "request_id")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    PACKAGE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    package: str
    request_id: str
    def __init__(self, namespace: _Optional[str] = ..., package: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ForgetResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class SchemaRequest(_message.Message):
    __slots__ = ("namespace", "name")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    name: str
    def __init__(self, namespace: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class SchemaResponse(_message.Message):
    __slots__ = ("contracts", "files")
    CONTRACTS_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    contracts: _containers.RepeatedCompositeFieldContainer[_contract_pb2.Contract]
    files: _descriptor_pb2.FileDescriptorSet
    def __init__(self, contracts: _Optional[_Iterable[_Union[_contract_pb2.Contract, _Mapping]]] = ..., files: _Optional[_Union[_descriptor_pb2.FileDescriptorSet, _Mapping]] = ...) -> None: ...

class DiffRequest(_message.Message):
    __slots__ = ("spec", "chunk")
    SPEC_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    spec: DeploySpec
    chunk: bytes
    def __init__(self, spec: _Optional[_Union[DeploySpec, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class DiffResponse(_message.Message):
    __slots__ = ("changes", "breaking")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    BREAKING_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[Change]
    breaking: bool
    def __init__(self, changes: _Optional[_Iterable[_Union[Change, _Mapping]]] = ..., breaking: _Optional[bool] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("path", "description", "breaking")
    PATH_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    BREAKING_FIELD_NUMBER: _ClassVar[int]
    path: str
    description: str
    breaking: bool
    def __init__(self, path: _Optional[str] = ..., description: _Optional[str] = ..., breaking: _Optional[bool] = ...) -> None: ...

class LogsRequest(_message.Message):
    __slots__ = ("namespace", "name", "follow", "tail")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_FIELD_NUMBER: _ClassVar[int]
    TAIL_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    name: str
    follow: bool
    tail: int
    def __init__(self, namespace: _Optional[str] = ..., name: _Optional[str] = ..., follow: _Optional[bool] = ..., tail: _Optional[int] = ...) -> None: ...

class LogsResponse(_message.Message):
    __slots__ = ("time", "revision", "stream", "level", "context", "message", "call_id", "node")
    TIME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    revision: int
    stream: str
    level: str
    context: str
    message: str
    call_id: str
    node: str
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revision: _Optional[int] = ..., stream: _Optional[str] = ..., level: _Optional[str] = ..., context: _Optional[str] = ..., message: _Optional[str] = ..., call_id: _Optional[str] = ..., node: _Optional[str] = ...) -> None: ...

class Function(_message.Message):
    __slots__ = ("namespace", "name", "revision", "revisions", "services", "calls", "callers", "secrets", "transcoding")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    CALLERS_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    TRANSCODING_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    name: str
    revision: int
    revisions: _containers.RepeatedCompositeFieldContainer[Revision]
    services: _containers.RepeatedCompositeFieldContainer[Service]
    calls: _containers.RepeatedCompositeFieldContainer[Call]
    callers: _containers.RepeatedScalarFieldContainer[str]
    secrets: _containers.RepeatedCompositeFieldContainer[Secret]
    transcoding: Transcoding
    def __init__(self, namespace: _Optional[str] = ..., name: _Optional[str] = ..., revision: _Optional[int] = ..., revisions: _Optional[_Iterable[_Union[Revision, _Mapping]]] = ..., services: _Optional[_Iterable[_Union[Service, _Mapping]]] = ..., calls: _Optional[_Iterable[_Union[Call, _Mapping]]] = ..., callers: _Optional[_Iterable[str]] = ..., secrets: _Optional[_Iterable[_Union[Secret, _Mapping]]] = ..., transcoding: _Optional[_Union[Transcoding, _Mapping]] = ...) -> None: ...

class Transcoding(_message.Message):
    __slots__ = ("methods", "from_bytes", "reason", "text", "direct", "imports", "direct_imports", "plain_imports")
    METHODS_FIELD_NUMBER: _ClassVar[int]
    FROM_BYTES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    DIRECT_FIELD_NUMBER: _ClassVar[int]
    IMPORTS_FIELD_NUMBER: _ClassVar[int]
    DIRECT_IMPORTS_FIELD_NUMBER: _ClassVar[int]
    PLAIN_IMPORTS_FIELD_NUMBER: _ClassVar[int]
    methods: _containers.RepeatedScalarFieldContainer[str]
    from_bytes: int
    reason: str
    text: str
    direct: _containers.RepeatedScalarFieldContainer[str]
    imports: _containers.RepeatedScalarFieldContainer[str]
    direct_imports: _containers.RepeatedScalarFieldContainer[str]
    plain_imports: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, methods: _Optional[_Iterable[str]] = ..., from_bytes: _Optional[int] = ..., reason: _Optional[str] = ..., text: _Optional[str] = ..., direct: _Optional[_Iterable[str]] = ..., imports: _Optional[_Iterable[str]] = ..., direct_imports: _Optional[_Iterable[str]] = ..., plain_imports: _Optional[_Iterable[str]] = ...) -> None: ...

class Secret(_message.Message):
    __slots__ = ("function", "key", "version", "size_bytes", "set", "key_id", "readable")
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SET_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    READABLE_FIELD_NUMBER: _ClassVar[int]
    function: str
    key: str
    version: int
    size_bytes: int
    set: _timestamp_pb2.Timestamp
    key_id: str
    readable: bool
    def __init__(self, function: _Optional[str] = ..., key: _Optional[str] = ..., version: _Optional[int] = ..., size_bytes: _Optional[int] = ..., set: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., key_id: _Optional[str] = ..., readable: _Optional[bool] = ...) -> None: ...

class Call(_message.Message):
    __slots__ = ("function", "address", "service", "calls", "linked_revision")
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    LINKED_REVISION_FIELD_NUMBER: _ClassVar[int]
    function: str
    address: str
    service: str
    calls: _containers.RepeatedCompositeFieldContainer[Call]
    linked_revision: int
    def __init__(self, function: _Optional[str] = ..., address: _Optional[str] = ..., service: _Optional[str] = ..., calls: _Optional[_Iterable[_Union[Call, _Mapping]]] = ..., linked_revision: _Optional[int] = ...) -> None: ...

class Revision(_message.Message):
    __slots__ = ("number", "digest", "size_bytes", "created", "limits", "environment", "bindings", "state", "reason", "scheduling", "placements")
    class EnvironmentEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    BINDINGS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SCHEDULING_FIELD_NUMBER: _ClassVar[int]
    PLACEMENTS_FIELD_NUMBER: _ClassVar[int]
    number: int
    digest: str
    size_bytes: int
    created: _timestamp_pb2.Timestamp
    limits: Limits
    environment: _containers.ScalarMap[str, str]
    bindings: _containers.RepeatedCompositeFieldContainer[Binding]
    state: str
    reason: str
    scheduling: Scheduling
    placements: _containers.RepeatedCompositeFieldContainer[Placement]
    def __init__(self, number: _Optional[int] = ..., digest: _Optional[str] = ..., size_bytes: _Optional[int] = ..., created: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., environment: _Optional[_Mapping[str, str]] = ..., bindings: _Optional[_Iterable[_Union[Binding, _Mapping]]] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., scheduling: _Optional[_Union[Scheduling, _Mapping]] = ..., placements: _Optional[_Iterable[_Union[Placement, _Mapping]]] = ...) -> None: ...

class Placement(_message.Message):
    __slots__ = ("node", "state", "reason", "plain_reason")
    NODE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PLAIN_REASON_FIELD_NUMBER: _ClassVar[int]
    node: str
    state: str
    reason: str
    plain_reason: str
    def __init__(self, node: _Optional[str] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., plain_reason: _Optional[str] = ...) -> None: ...

class Binding(_message.Message):
    __slots__ = ("target", "function", "address", "service", "linked_revision", "newer_revision")
    IMPORT_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    LINKED_REVISION_FIELD_NUMBER: _ClassVar[int]
    NEWER_REVISION_FIELD_NUMBER: _ClassVar[int]
    target: str
    function: str
    address: str
    service: str
    linked_revision: int
    newer_revision: int
    def __init__(self, target: _Optional[str] = ..., function: _Optional[str] = ..., address: _Optional[str] = ..., service: _Optional[str] = ..., linked_revision: _Optional[int] = ..., newer_revision: _Optional[int] = ..., **kwargs) -> None: ...

class Service(_message.Message):
    __slots__ = ("name", "interface", "owner", "methods")
    NAME_FIELD_NUMBER: _ClassVar[int]
    INTERFACE_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    METHODS_FIELD_NUMBER: _ClassVar[int]
    name: str
    interface: str
    owner: str
    methods: _containers.RepeatedCompositeFieldContainer[Method]
    def __init__(self, name: _Optional[str] = ..., interface: _Optional[str] = ..., owner: _Optional[str] = ..., methods: _Optional[_Iterable[_Union[Method, _Mapping]]] = ...) -> None: ...

class Method(_message.Message):
    __slots__ = ("name", "signature", "request_type", "response_type", "error_type", "sample", "path", "path_reason")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_TYPE_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_TYPE_FIELD_NUMBER: _ClassVar[int]
    ERROR_TYPE_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PATH_REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    signature: str
    request_type: str
    response_type: str
    error_type: str
    sample: str
    path: str
    path_reason: str
    def __init__(self, name: _Optional[str] = ..., signature: _Optional[str] = ..., request_type: _Optional[str] = ..., response_type: _Optional[str] = ..., error_type: _Optional[str] = ..., sample: _Optional[str] = ..., path: _Optional[str] = ..., path_reason: _Optional[str] = ...) -> None: ...
