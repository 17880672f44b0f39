#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""page.py OPENAPI.json: the API as one HTML page for people, without scripts and outside resources."""
import html
import json
import re
from pathlib import Path

from description import main

STYLE = Path(__file__).with_name("page.css")
LIMITS = (("minLength", "at least", " characters"), ("maxLength", "at most", " characters"),
          ("minimum", "at least", ""), ("maximum", "at most", ""))


def text(words):
    """Text with `code` in it."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(words, quote=False))


def anchor(name):
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")


def code_block(value):
    shown = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return f'<pre tabindex="0"><code>{html.escape(shown, quote=False)}</code></pre>\n'


def table(heads, rows):
    """Cells name their column, so that a narrow screen can show each row as a card."""
    head = "".join(f'<th scope="col">{one}</th>' for one in heads)
    body = "".join("<tr>" + "".join(f'<td data-head="{name}">{cell}</td>' for name, cell in zip(heads, row)) + "</tr>\n"
                   for row in rows)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>\n"


def kind_of(schema):
    """A schema's type in words, with a link where it has a name."""
    if isinstance(schema, bool):
        return "anything" if schema else "never there"
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f'<a href="#{anchor(name)}">{name}</a>'
    if "const" in schema:
        return f"<code>{html.escape(json.dumps(schema['const']))}</code>"
    if "enum" in schema:
        return " or ".join(f"<code>{html.escape(json.dumps(value))}</code>" for value in schema["enum"])
    kinds = schema.get("type", "object" if "properties" in schema else "anything")
    words = " or ".join([kinds] if isinstance(kinds, str) else kinds)
    if kinds == "array" and isinstance(schema.get("items"), dict):
        words += " of " + kind_of(schema["items"])
    return words


def limits_of(schema):
    if isinstance(schema, bool):
        return ""
    known = schema.get("description", "")
    parts = [f"{words} {schema[key]}{unit}" for key, words, unit in LIMITS
             if key in schema and str(schema[key]) not in known]
    if "pattern" in schema:
        parts.append(f"<code>{html.escape(schema['pattern'])}</code>")
    return ("Limits: " + ", ".join(parts) + ".") if parts else ""


def fields(schema, prefix=""):
    """A row for each member of an object, and for those of objects within."""
    for name, value in schema.get("properties", {}).items():
        needed = "always" if name in schema.get("required", []) else "optional"
        value = value if isinstance(value, dict) else {"type": "never there"} if not value else {}
        words = text(value.get("description", ""))
        yield f"<code>{prefix}{name}</code>", kind_of(value), needed, f"{words} {limits_of(value)}".strip()
        inner = value.get("items", value)
        if isinstance(inner, dict) and "properties" in inner:
            yield from fields(inner, f"{prefix}{name}{'[]' if 'items' in value else ''}.")


def fields_table(schema):
    rows = list(fields(schema))
    return table(["member", "type", "there", "meaning"], rows) if rows else ""


def example_call(api, path, method, operation):
    """The request as curl would send it."""
    words = ["curl"]
    if method == "head":
        words.append("--head")
    elif method != "get":
        words.append(f"-X {method.upper()}")
    if api.security(operation):
        words.append("-u API_KEY:API_SECRET")
    bodies = api.examples(operation["requestBody"]) if "requestBody" in operation else []
    if bodies:
        body = json.dumps(bodies[0][1], ensure_ascii=False)
        words.append(f"-H 'Content-Type: application/json' \\\n    -d '{body}'")
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", str(parameter.get("example", "ID")))
    return code_block(" ".join(words) + " \\\n    " + api.root["servers"][0]["url"] + path)


def answers(api, operation):
    rows = []
    for status, response in operation["responses"].items():
        response = api.follow(response)
        schema = api.media(response).get("schema", {})
        body = "<br>".join(f"<code>{code}</code>" for code in api.codes(response)) or \
            (kind_of(schema) if schema and api.media_type(response) == "application/json" else
             html.escape(api.media_type(response) or "no body"))
        headers = ", ".join(f"<code>{name}</code>" for name in response.get("headers", {}) if name != "X-Request-Id")
        rows.append((f"<strong>{status}</strong>", text(response["description"]), body, headers or "none"))
    return table(["status", "when", "body or errorCode", "headers"], rows)


def section(api, path, methods, operation, parameters):
    name = operation["operationId"]
    verbs = " ".join(f'<span class="verb {method}">{method.upper()}</span>' for method in methods)
    parts = [f'<section id="{anchor(name)}">\n<h3>{html.escape(operation["summary"])}</h3>\n',
             f'<p class="route">{verbs} <code>{html.escape(path)}</code></p>\n']
    if operation.get("description"):
        parts.append(f"<p>{text(operation['description'])}</p>\n")
    needs = "the API key and the secret" if api.security(operation) else "no credentials"
    parts.append(f"<p>Needs {needs}.</p>\n")
    if parameters:
        parts.append("<h4>Parameters</h4>\n" + table(["parameter", "where", "type", "meaning"], [
            (f"<code>{one['name']}</code>", one["in"], kind_of(one["schema"]),
             f"{text(one.get('description', ''))} {limits_of(one['schema'])}".strip()) for one in parameters]))
    if "requestBody" in operation:
        schema = api.media(operation["requestBody"])["schema"]
        parts.append(f"<h4>Body: {kind_of(schema)}</h4>\n" + fields_table(api.follow(schema)))
    parts.append("<h4>Example</h4>\n" + example_call(api, path, methods[0], {**operation, "parameters": parameters}))
    good = next((response for status, response in operation["responses"].items() if status.startswith("2")), {})
    parts += [code_block(value) for _, value in api.examples(good)]
    parts.append("<h4>Answers</h4>\n" + answers(api, operation) + "</section>\n")
    return "".join(parts)


def with_head(api, tag):
    """Operations of a tag; HEAD stands beside its GET."""
    for path, method, operation, parameters in api.operations(tag):
        item = api.root["paths"][path]
        if method == "head" and "get" in item:
            continue
        yield path, [method, "head"] if method == "get" and "head" in item else [method], operation, parameters


def ways_to_sign_in(api):
    rows = [(f"<code>{html.escape(one.get('name', 'Authorization: Basic'))}</code>", text(one["description"]))
            for one in api.components["securitySchemes"].values()]
    return '<section id="credentials">\n<h2>Credentials</h2>\n' + table(["header", "value"], rows) + "</section>\n"


def errors(api):
    used = {}
    for _, _, operation, _ in api.operations():
        for status, response in operation["responses"].items():
            for code in api.codes(response):
                used[status, code] = text(api.follow(response)["description"])
    rows = [(status, f"<code>{code}</code>", words) for (status, code), words in sorted(used.items())]
    example = next(value for response in api.components["responses"].values() for _, value in api.examples(response)
                   if isinstance(value, dict) and "errorCode" in value)
    return '<section id="errors">\n<h2>Errors</h2>\n' + code_block(example) + \
        table(["status", "errorCode", "when"], rows) + "</section>\n"


def schemas(api):
    parts = ['<h2 id="types">Types</h2>\n']
    for name, schema in api.components["schemas"].items():
        words = f"<p>{text(schema['description'])}</p>\n" if "description" in schema else ""
        parts.append(f'<section id="{anchor(name)}">\n<h3>{name}</h3>\n{words}{fields_table(schema)}</section>\n')
    return "".join(parts)


def navigation(api):
    links = ['<a href="#credentials">Credentials</a>']
    for tag in api.root["tags"]:
        links += [f'<a href="#{anchor(one["operationId"])}">{html.escape(one["summary"])}</a>'
                  for _, _, one, _ in with_head(api, tag["name"])]
    links += ['<a href="#errors">Errors</a>', '<a href="#types">Types</a>']
    return "<nav aria-label=\"Contents\">\n<ul>\n" + "".join(f"<li>{link}</li>\n" for link in links) + "</ul>\n</nav>\n"


HEAD = """\
<!DOCTYPE html>
<!-- SPDX-License-Identifier: MIT
     Made from docs/openapi.json by tools/api/page.py; do not edit. -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}: the API</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>The API of {title}</h1>
<p>{words}</p>
</header>
"""


def render(api):
    info = api.root["info"]
    parts = [HEAD.format(title=html.escape(info["title"]), style=STYLE.read_text(encoding="utf-8"),
                         words=text(f"{info['summary']}. {info['description']}")),
             navigation(api), "<main>\n", ways_to_sign_in(api)]
    for tag in api.root["tags"]:
        parts.append(f'<h2>{html.escape(tag["name"])}</h2>\n<p>{text(tag["description"])}</p>\n')
        parts += [section(api, *one) for one in with_head(api, tag["name"])]
    parts += [errors(api), schemas(api), "</main>\n</body>\n</html>\n"]
    return "".join(parts)


if __name__ == "__main__":
    main(render)
