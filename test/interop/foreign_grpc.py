"""An endpoint and a client of another make: python3-grpcio, which shares no code with nsmesh but the .proto files.

    foreign_grpc.py DESCRIPTORS endpoint SOCKET   registers an endpoint of `foreign` and serves it
    foreign_grpc.py DESCRIPTORS client            finds it, requests a wire, waits for a line on stdin, closes it

DESCRIPTORS is a FileDescriptorSet (`buf build proto -o`). Prints one JSON object per step.
"""
import concurrent.futures
import datetime
import json
import os
import sys
import uuid

import grpc
import jwt
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2  # noqa: F401

SERVICE = "foreign"
KERNEL = {"cls": "LOCAL", "type": "KERNEL"}
LIFETIME = datetime.timedelta(minutes=5)


def load_messages(path):
    files = descriptor_pb2.FileDescriptorSet.FromString(open(path, "rb").read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return lambda name: factory.GetPrototype(pool.FindMessageTypeByName(name))


class Identity:
    """An X.509 SVID from the Workload API, in the forms that grpc and jwt want."""

    def __init__(self, message):
        response = self._fetch(message)
        svid = response.svids[0]
        self.spiffe_id = svid.spiffe_id
        self.chain = pem_of_all(svid.x509_svid)
        self.roots = pem_of_all(svid.bundle)
        self._key = serialization.load_der_private_key(svid.x509_svid_key, None)
        self.key = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    @staticmethod
    def _fetch(message):
        channel = grpc.insecure_channel(os.environ["SPIFFE_ENDPOINT_SOCKET"].replace("unix://", "unix:"))
        fetch = channel.unary_stream(
            "/SpiffeWorkloadAPI/FetchX509SVID", message("X509SVIDRequest").SerializeToString,
            message("X509SVIDResponse").FromString)
        return next(fetch(message("X509SVIDRequest")(), metadata=[("workload.spiffe.io", "true")], timeout=10))

    def token_for(self, audience):
        expires = datetime.datetime.now(datetime.timezone.utc) + LIFETIME
        claims = {"sub": self.spiffe_id, "aud": [audience], "exp": int(expires.timestamp())}
        token = jwt.encode(claims, self._key, algorithm="ES256")
        return [("nsm-client-token", token), ("nsm-client-token-expires", expires.isoformat())]


def pem_of_all(der):
    """The concatenated DER certificates of an SVID as PEM."""
    certificates = b""
    while der:
        length = int.from_bytes(der[2:4], "big") + 4  # every certificate is longer than 255 bytes
        certificate = x509.load_der_x509_certificate(der[:length])
        certificates += certificate.public_bytes(serialization.Encoding.PEM)
        der = der[length:]
    return certificates


def node_channel(identity):
    credentials = grpc.ssl_channel_credentials(identity.roots, identity.key, identity.chain)
    # C-core only checks DNS names; a node's SVID carries its name as one.
    options = [("grpc.ssl_target_name_override", os.environ["NODE_NAME"])]
    return grpc.secure_channel(os.environ["NSM_CONNECT_TO"].replace("unix://", "unix:"), credentials, options)


def call(channel, path, request, answer):
    return channel.unary_unary(path, type(request).SerializeToString, answer.FromString)


def say(**facts):
    print(json.dumps(facts), flush=True)


def register(message, channel, identity, url):
    service, endpoint = message("registry.NetworkService"), message("registry.NetworkServiceEndpoint")
    metadata = identity.token_for(os.environ["NODE_ID"]) + [("path", json.dumps({"Index": 0, "PathSegments": []}))]
    call(channel, "/registry.NetworkServiceRegistry/Register", service(name=SERVICE, payload="IP"), service)(
        service(name=SERVICE, payload="IP"), metadata=metadata, timeout=10)
    wanted = endpoint(name="foreign-1", network_service_names=[SERVICE], url=url)
    registered = call(channel, "/registry.NetworkServiceEndpointRegistry/Register", wanted, endpoint)(
        wanted, metadata=metadata, timeout=10)
    say(registered=registered.name)


class Endpoint:
    """Answers requests as the endpoint side of NSM v1 does: path, token, addresses, mechanism."""

    def __init__(self, message, identity):
        self.message = message
        self.identity = identity

    def request(self, request, context):
        connection = self.message("connection.Connection")()
        connection.CopyFrom(request.connection)
        metadata = dict(context.invocation_metadata())
        path = connection.path
        previous = path.path_segments[path.index]
        previous.token = metadata["nsm-client-token"]
        previous.expires.FromJsonString(metadata["nsm-client-token-expires"])
        caller = jwt.decode(previous.token, options={"verify_signature": False})["sub"]
        own = path.path_segments[path.index + 1] if len(path.path_segments) > path.index + 1 else path.path_segments.add()
        token = dict(self.identity.token_for(caller))
        own.name, own.id, own.token = "foreign-1", own.id or str(uuid.uuid4()), token["nsm-client-token"]
        own.expires.FromJsonString(token["nsm-client-token-expires"].replace("+00:00", "Z"))
        connection.network_service_endpoint_name = "foreign-1"
        connection.mechanism.cls, connection.mechanism.type = "LOCAL", "KERNEL"
        connection.mechanism.parameters["name"] = "foreign0"
        ip = connection.context.ip_context
        for field, values in {"src_ip_addrs": ["10.77.0.2/32"], "dst_ip_addrs": ["10.77.0.1/32"]}.items():
            del getattr(ip, field)[:]
            getattr(ip, field).extend(values)
        del ip.src_routes[:], ip.dst_routes[:]
        ip.src_routes.add(prefix="10.77.0.1/32")
        ip.dst_routes.add(prefix="10.77.0.2/32")
        say(requested=connection.network_service, by=caller)
        return connection

    def close(self, connection, _):
        say(closed=connection.id)
        return self.message("google.protobuf.Empty")()

    def handlers(self):
        def unary(method, request, answer):
            return grpc.unary_unary_rpc_method_handler(
                method, self.message(request).FromString, self.message(answer).SerializeToString)
        return grpc.method_handlers_generic_handler("networkservice.NetworkService", {
            "Request": unary(self.request, "networkservice.NetworkServiceRequest", "connection.Connection"),
            "Close": unary(self.close, "connection.Connection", "google.protobuf.Empty"),
        })


def serve(message, identity, socket):
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    endpoint = Endpoint(message, identity)
    server.add_generic_rpc_handlers([endpoint.handlers()])
    credentials = grpc.ssl_server_credentials([(identity.key, identity.chain)], identity.roots, True)
    server.add_secure_port(f"unix:{socket}", credentials)
    server.start()
    os.chmod(socket, 0o666)
    register(message, node_channel(identity), identity, f"unix://{socket}")
    sys.stdin.read()
    server.stop(0)


def find(message, channel, identity):
    query, response = message("registry.NetworkServiceEndpointQuery"), message("registry.NetworkServiceEndpointResponse")
    wanted = query()
    wanted.network_service_endpoint.network_service_names.append(SERVICE)
    stream = channel.unary_stream(
        "/registry.NetworkServiceEndpointRegistry/Find", query.SerializeToString, response.FromString)
    names = [found.network_service_endpoint.name for found in
             stream(wanted, metadata=identity.token_for(os.environ["NODE_ID"]), timeout=10)]
    say(found=names)


def use(message, identity):
    channel = node_channel(identity)
    find(message, channel, identity)
    request, connection = message("networkservice.NetworkServiceRequest"), message("connection.Connection")
    wanted = request()
    wanted.connection.id, wanted.connection.network_service = "python-0", SERVICE
    wanted.connection.path.path_segments.add(name="python", id="python-0")
    preference = wanted.mechanism_preferences.add(**KERNEL)
    preference.parameters["name"] = "nsm-1"
    preference.parameters["inodeURL"] = "file:///proc/thread-self/ns/net"
    token = identity.token_for(os.environ["NODE_ID"])
    got = call(channel, "/networkservice.NetworkService/Request", wanted, connection)(wanted, metadata=token, timeout=15)
    say(interface=got.mechanism.parameters["name"], addresses=list(got.context.ip_context.src_ip_addrs),
        path=[segment.name for segment in got.path.path_segments])
    sys.stdin.readline()
    call(channel, "/networkservice.NetworkService/Close", got, message("google.protobuf.Empty"))(
        got, metadata=token, timeout=10)
    say(gone=got.id)


def main():
    descriptors, role, *rest = sys.argv[1:]
    message = load_messages(descriptors)
    identity = Identity(message)
    say(identity=identity.spiffe_id)
    if role == "endpoint":
        serve(message, identity, *rest)
    else:
        use(message, identity)


main()
