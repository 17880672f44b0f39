# SPDX-License-Identifier: MIT
"""The description of the API, and that every operation in it exists.  That all answers of all system tests
fit it is the business of tests/openapi."""
from lib.case import ResponderCase
from lib.programs import SOURCE
from lib.site import GUEST_PATH, member_path
import json


class Description(ResponderCase):
    @classmethod
    def prepare(cls, site):
        site.settings["status"] = {"allow": ["127.0.0.1"]}

    def test_it_is_the_one_of_the_source(self):
        answer = self.responder.call("GET", "/openapi.json")
        self.assertEqual(200, answer.status)
        self.assertEqual("application/json", answer.header("Content-Type"))
        self.assertEqual(json.loads((SOURCE / "docs/openapi.json").read_text()), answer.json)

    def test_every_operation_exists(self):
        paths = self.responder.call("GET", "/openapi.json").json["paths"]
        for path, item in paths.items():
            for method in set(item) - {"parameters"}:
                with self.subTest(path=path, method=method):
                    answer = self.responder.call(method.upper(), path.replace("{appUserId}", "1"), auth=self.site.auth())
                    self.assertIn(answer.status, (200, 204))

    def test_other_methods_are_405_with_the_described_ones(self):
        for path in (GUEST_PATH, member_path("1"), "/openapi.json", "/healthz"):
            answer = self.responder.call("DELETE", path, auth=self.site.auth())
            self.assertEqual((405, "UNSUPPORTED_HTTP_METHOD"), answer.error)
