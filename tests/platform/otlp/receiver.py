"""A collector: decodes with the official messages, prints a line of JSON for each request.

With a certificate and its key as arguments it speaks TLS.
"""

import gzip
import http.server
import json
import ssl
import sys

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MESSAGES = {"/otel/v1/traces": ExportTraceServiceRequest, "/otel/v1/metrics": ExportMetricsServiceRequest}


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers["content-encoding"] == "gzip":
            body = gzip.decompress(body)
        message = MESSAGES[self.path]()
        message.ParseFromString(body)
        # What is not known was written to no field of ours.
        known = message.SerializeToString()
        said = {
            "path": self.path,
            "type": self.headers["content-type"],
            "encoding": self.headers["content-encoding"],
            "key": self.headers["x-key"],
            "tls": isinstance(self.connection, ssl.SSLSocket),
            "whole": len(known) == len(body),
            "message": MessageToDict(message),
        }
        print(json.dumps(said), flush=True)
        self.send_response(200)
        self.send_header("content-type", "application/x-protobuf")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Who believes another authority breaks off."""


server = Server(("127.0.0.1", 0), Collector)
if sys.argv[1:]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*sys.argv[1:])
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_port, flush=True)
server.serve_forever()
