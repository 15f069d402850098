"""A daemon that answers what a test tells it to, over TCP, TLS or a Unix socket."""

import http.server
import json
import pathlib
import socket
import socketserver
import ssl
import threading
import urllib.parse

ANSWERS = pathlib.Path(__file__).parent / "answers"


def recorded(name):
    return json.loads((ANSWERS / f"{name}.json").read_text(encoding="utf-8"))


def problem(status, detail):
    return status, {"type": "about:blank", "title": "Problem", "status": status, "detail": detail}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def serve(self):
        url = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.owner.requests.append({
            "method": self.command, "path": url.path, "query": dict(urllib.parse.parse_qsl(url.query)),
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": json.loads(body) if body else None})
        answer = self.server.owner.answers.get((self.command, url.path))
        if callable(answer):
            answer = answer()
        status, content = problem(404, f"there is nothing at {url.path}") if answer is None else answer
        text = b"" if content is None else content.encode() if isinstance(content, str) else json.dumps(content).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
        except OSError:
            pass  # Whoever asked does not wait any longer: some tests mean it.

    do_GET = do_PUT = do_POST = do_DELETE = serve

    def log_message(self, *_):
        pass


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self):
        request, _ = super().get_request()
        return request, ("local", 0)


class TcpServer(http.server.ThreadingHTTPServer):
    daemon_threads = True
    address_family = socket.AF_INET


class Server:
    """`answers`: (method, path) -> (status, object, text or None), or a function that returns one."""

    def __init__(self, answers=None, unix=None, certificate=None, port=0):
        self.answers = dict(answers or {})
        self.requests = []
        if unix:
            self._server = UnixServer(str(unix), Handler)
            self.url = f"unix:{unix}"
        else:
            self._server = TcpServer(("127.0.0.1", port), Handler)
            self.port = self._server.server_address[1]
            self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.owner = self
        self._server.handle_error = lambda *_: None  # A refused handshake is what some tests want.
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def last(self):
        return self.requests[-1]
