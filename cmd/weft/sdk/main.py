"""Calls the function {{.Function}}. Run it with the server's address, if that is not 127.0.0.1:7070."""

import sys

import grpc
from google.protobuf import json_format
from {{.Package}} import {{.File}}_pb2
from {{.Package}} import {{.File}}_pb2_grpc

address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:7070"
with grpc.insecure_channel(address) as channel:
    stub = {{.File}}_pb2_grpc.{{.Service}}Stub(channel)
    request = json_format.Parse({{.Sample}}, {{.File}}_pb2.{{.Request}}())
    metadata = [("weft-namespace", "{{.Namespace}}"), ("weft-function", "{{.Function}}")]
    print(stub.{{.Method}}(request, timeout=30, metadata=metadata))
