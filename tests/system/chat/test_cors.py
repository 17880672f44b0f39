# SPDX-License-Identifier: MIT
"""A page that calls the API straight from the browser, as the family's own client does."""
import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from lib.browser import browse
from lib.mount_cases import MountedCase
from lib.responder import RunningResponder
from lib.servers import INSTALLED_SOCKET, Lighttpd, read_mount
from lib.site import GUEST_PATH, KEY, SECRET
from lib.tokens import verify


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Cors(MountedCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.scratch.path / "pages"
        folder.mkdir()
        (folder / "index.html").write_text('<!doctype html><title>A page</title><link rel="icon" href="data:,">')
        cls.origins = [cls.serve(folder) for _ in range(2)]
        cls.site.change_app(cors_origins=cls.origins[:1])
        responder = RunningResponder(cls.scratch, cls.site)
        cls.web = Lighttpd(cls.scratch, read_mount("lighttpd/external.conf", {INSTALLED_SOCKET: responder.address}))

    @classmethod
    def serve(cls, folder):
        """The origin of a web server with that folder."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cls.addClassCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"

    def ask(self, origin):
        api = f"http://127.0.0.1:{self.web.port}{self.web.mount}{GUEST_PATH}"
        return browse(self.scratch, "cors.mjs", f"{origin}/", api, KEY, SECRET)

    def test_allowed_origin(self):
        seen = self.ask(self.origins[0])
        self.assertEqual(200, seen["axios"]["status"], seen)
        header, claims = verify(seen["axios"]["body"]["chatToken"], self.site.signing_key())
        self.assertEqual(("HS256", "guest"), (header["alg"], claims["role"]))

    def test_error_of_an_allowed_origin(self):
        """The page can read what was wrong."""
        seen = self.ask(self.origins[0])["mistake"]
        self.assertEqual((400, "INVALID_HTTP_MESSAGE_BODY"), (seen["status"], seen["body"]["errorCode"]))

    def test_refused_origin(self):
        seen = self.ask(self.origins[1])
        self.assertEqual({"status": 0, "code": "ERR_NETWORK"}, seen["axios"])
        self.assertEqual({"status": 0, "code": "TypeError"}, seen["mistake"])
        self.assertIn("blocked by CORS policy", "".join(seen["complaints"]))
