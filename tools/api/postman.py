#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""postman.py OPENAPI.json: the API as a Postman collection, version 2.1."""
import json
import re

from description import main

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
BASIC = {"type": "basic", "basic": [{"key": "username", "value": "{{apiKey}}", "type": "string"},
                                    {"key": "password", "value": "{{apiSecret}}", "type": "string"}]}
# What Postman tells the user about each answer of an operation.
STATUS_TEST = """pm.test("the status is one of the description", () => {
    pm.expect(%s).to.include(pm.response.code);
});"""
TOKEN_TEST = """if (pm.response.code === 200) {
    pm.collectionVariables.set("chatToken", pm.response.json().chatToken);
}"""


def url_of(path, parameters):
    template = re.sub(r"\{(\w+)\}", r":\1", path)
    url = {"raw": "{{baseUrl}}" + template, "host": ["{{baseUrl}}"], "path": template.strip("/").split("/")}
    variables = [{"key": one["name"], "value": str(one.get("example", "")), "description": one.get("description", "")}
                 for one in parameters if one["in"] == "path"]
    query = [{"key": one["name"], "value": str(one.get("example", "")), "description": one.get("description", ""),
              "disabled": not one.get("required", False)} for one in parameters if one["in"] == "query"]
    return {**url, **({"variable": variables} if variables else {}), **({"query": query} if query else {})}


def request_of(api, path, method, operation, parameters, body):
    request = {"method": method.upper(), "header": [], "url": url_of(path, parameters),
               "description": operation.get("description", operation["summary"])}
    if body is not None:
        request["header"] = [{"key": "Content-Type", "value": "application/json"}]
        request["body"] = {"mode": "raw", "raw": json.dumps(body, indent=2, ensure_ascii=False),
                           "options": {"raw": {"language": "json"}}}
    if not api.security(operation):
        request["auth"] = {"type": "noauth"}
    elif ["basic"] not in api.security(operation):
        request["auth"] = None  # that of the collection would be the wrong one
    return request


def items_of(api, path, method, operation, parameters):
    """One item for each example of a body, or one without."""
    bodies = api.examples(operation["requestBody"]) if "requestBody" in operation else [(None, None)]
    statuses = sorted(int(status) for status in operation["responses"] if status.isdigit())
    script = STATUS_TEST % statuses
    if method == "post":
        script += "\n" + TOKEN_TEST
    for title, body in bodies:
        yield {"name": operation["summary"] + (f": {title}" if title else ""),
               "event": [{"listen": "test", "script": {"type": "text/javascript", "exec": script.split("\n")}}],
               "request": request_of(api, path, method, operation, parameters, body), "response": []}


def render(api):
    info = api.root["info"]
    variables = {"baseUrl": api.root["servers"][0]["url"], "apiKey": "", "apiSecret": "", "chatToken": ""}
    folders = [{"name": tag["name"], "description": tag.get("description", ""),
                "item": [item for one in api.operations(tag["name"]) for item in items_of(api, *one)]}
               for tag in api.root["tags"]]
    collection = {"info": {"name": info["title"], "description": info["description"] + "\n\nSet the variables "
                           "`baseUrl`, `apiKey` and `apiSecret` first.", "schema": SCHEMA},
                  "auth": BASIC, "item": folders,
                  "variable": [{"key": key, "value": value, "type": "string"} for key, value in variables.items()]}
    return json.dumps(collection, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main(render)
