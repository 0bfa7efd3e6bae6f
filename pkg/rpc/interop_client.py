"""A client of another implementation (python3-grpcio with the TLS of C-core): requests a connection and monitors it.

    interop_client.py DESCRIPTORS TARGET DIRECTORY NAME

DESCRIPTORS is a FileDescriptorSet (`buf build proto -o`). DIRECTORY contains key.pem, chain.pem and roots.pem. NAME is
a DNS name in the certificate of the server, because C-core does not support SPIFFE IDs. Prints one JSON object.
"""
import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


def load_messages(path):
    files = descriptor_pb2.FileDescriptorSet.FromString(open(path, "rb").read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return lambda name: factory.GetPrototype(pool.FindMessageTypeByName(name))


def main(descriptors, target, directory, name):
    message = load_messages(descriptors)
    pem = {part: open(f"{directory}/{part}.pem", "rb").read() for part in ("key", "chain", "roots")}
    credentials = grpc.ssl_channel_credentials(pem["roots"], pem["key"], pem["chain"])
    channel = grpc.secure_channel(target, credentials, [("grpc.ssl_target_name_override", name)])

    connection = message("connection.Connection")
    request = channel.unary_unary(
        "/networkservice.NetworkService/Request",
        message("networkservice.NetworkServiceRequest").SerializeToString, connection.FromString)
    asked = connection(id="c-1", network_service="db", payload="IP", labels={"app": "x"})
    answer = request(message("networkservice.NetworkServiceRequest")(connection=asked), timeout=10)

    watch = channel.unary_stream(
        "/connection.MonitorConnection/MonitorConnections",
        message("connection.MonitorScopeSelector").SerializeToString, message("connection.ConnectionEvent").FromString)
    events = watch(message("connection.MonitorScopeSelector")(), timeout=10)
    first = next(events)
    events.cancel()

    asked.path.index = 7
    try:
        request(message("networkservice.NetworkServiceRequest")(connection=asked), timeout=10)
        refusal = None
    except grpc.RpcError as error:
        refusal = [error.code().name, error.details()]
    same = answer.id == "c-1" and answer.network_service == "db" and answer.labels["app"] == "x"
    print(json.dumps({"same": same, "event": sorted(first.connections), "refusal": refusal}))


main(*sys.argv[1:])
