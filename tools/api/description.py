# SPDX-License-Identifier: MIT
"""docs/openapi.json as the other scripts of this folder want to see it."""
import json
import sys

METHODS = ("get", "post", "put", "patch", "delete", "options", "head")


class Description:
    """The description, with references that can be followed."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.root = json.load(file)
        self.components = self.root["components"]

    def follow(self, node):
        """What a node means: itself, or what its $ref names."""
        while "$ref" in node:
            target = self.root
            for part in node["$ref"][2:].split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def operations(self, tag=None):
        """(path, method, operation, parameters) of each operation, in the order of the file."""
        for path, item in self.root["paths"].items():
            for method in METHODS:
                operation = item.get(method)
                if operation and tag in (None, *operation["tags"]):
                    both = item.get("parameters", []) + operation.get("parameters", [])
                    yield path, method, operation, [self.follow(parameter) for parameter in both]

    def security(self, operation):
        """The ways to sign in, each a list of names; empty where none is needed."""
        ways = operation.get("security", self.root.get("security", []))
        return [list(way) for way in ways if way]

    def codes(self, response):
        """The error codes that an answer may have."""
        schema = self.media(response).get("schema", {})
        return [code for part in schema.get("allOf", []) for code in self.code_of(part)]

    def code_of(self, schema):
        return self.follow(schema).get("properties", {}).get("errorCode", {}).get("enum", [])

    def media(self, message):
        """The JSON of a request body or an answer; else its first type; {} without a body."""
        content = self.follow(message).get("content", {})
        return content.get("application/json", next(iter(content.values()), {}))

    def media_type(self, message):
        content = self.follow(message).get("content", {})
        return "application/json" if "application/json" in content else next(iter(content), None)

    def examples(self, message):
        """(title, value) of each example of a body."""
        media = self.media(message)
        if "example" in media:
            return [("Example", media["example"])]
        named = [self.follow(one) for one in media.get("examples", {}).values()]
        return [(one.get("summary", "Example"), one["value"]) for one in named]


def main(render):
    """SCRIPT OPENAPI.json: prints what the script makes of it."""
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    sys.stdout.write(render(Description(sys.argv[1])))
