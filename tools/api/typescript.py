#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""typescript.py OPENAPI.json: TypeScript types of the API."""
import json
import re

from description import main

HEAD = """\
// SPDX-License-Identifier: MIT
// Types of the memberchat API.  Made from docs/openapi.json by tools/api/typescript.py; do not edit.
"""
SIMPLE = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def comment(text, indent=""):
    return f"{indent}/** {text.replace('*/', '* /')} */\n" if text else ""


def name_of(key):
    return key if re.fullmatch(r"[A-Za-z_$][\w$]*", key) else json.dumps(key)


def title_of(name):
    return "ErrorBody" if name == "Error" else name  # TypeScript has an Error of its own


def type_of(schema, indent=""):
    """The type that a schema describes."""
    if isinstance(schema, bool):
        return "unknown" if schema else "never"
    if "$ref" in schema:
        return title_of(schema["$ref"].rsplit("/", 1)[1])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    for word, sign in (("allOf", " & "), ("anyOf", " | "), ("oneOf", " | ")):
        if word in schema:
            return sign.join(f"({type_of(part, indent)})" for part in schema[word])
    kinds = schema.get("type", "object" if "properties" in schema else [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return " | ".join(type_of_kind(kind, schema, indent) for kind in kinds) or "unknown"


def type_of_kind(kind, schema, indent):
    if kind == "array":
        return f"Array<{type_of(schema.get('items', True), indent)}>"
    if kind == "object":
        return fields(schema, indent)
    return SIMPLE[kind]


def fields(schema, indent):
    """An object's members.  One whose schema is `false` may not be there."""
    inner = indent + "    "
    more = schema.get("additionalProperties")
    lines = []
    for key, value in schema.get("properties", {}).items():
        optional = "" if key in schema.get("required", []) else "?"
        text = value.get("description") if isinstance(value, dict) else None
        lines.append(f"{comment(text, inner)}{inner}{name_of(key)}{optional}: {type_of(value, inner)};\n")
    if more or not lines:
        lines.append(f"{inner}[name: string]: unknown;\n")
    return "{\n" + "".join(lines) + indent + "}"


def of_responses(api, method, operation):
    lines = []
    for status, response in operation["responses"].items():
        schema = api.media(response).get("schema")
        codes = api.codes(response)
        if method == "head" or schema is None:
            kind = "undefined"
        elif codes:
            kind = "ErrorAnswer<" + " | ".join(json.dumps(code) for code in codes) + ">"
        else:
            kind = type_of(schema, "            ") if api.media_type(response) == "application/json" else "string"
        lines.append(f"            {status}: {kind};\n")
    return "{\n" + "".join(lines) + "        }"


def of_operation(api, path, method, operation, parameters):
    lines = [comment(operation["summary"], "    "), f"    {operation['operationId']}: {{\n",
             f"        method: {json.dumps(method.upper())};\n", f"        path: {json.dumps(path)};\n"]
    if parameters:
        inner = "".join(f"{comment(one.get('description'), ' ' * 12)}            {name_of(one['name'])}"
                        f"{'' if one.get('required') else '?'}: {type_of(one['schema'])};\n" for one in parameters)
        lines.append("        parameters: {\n" + inner + "        };\n")
    if "requestBody" in operation:
        optional = "" if operation["requestBody"].get("required") else "?"
        lines.append(f"        body{optional}: {type_of(api.media(operation['requestBody'])['schema'])};\n")
    lines += [f"        responses: {of_responses(api, method, operation)};\n", "    };\n"]
    return "".join(lines)


def render(api):
    parts = [HEAD]
    for name, schema in api.components["schemas"].items():
        text = comment(schema.get("description"))
        kind = type_of(schema)
        parts.append(f"{text}export interface {title_of(name)} {kind}\n" if kind.startswith("{") else
                     f"{text}export type {title_of(name)} = {kind};\n")
    codes = sorted({code for response in api.components["responses"].values() for code in api.codes(response)})
    parts.append("/** What `errorCode` can be. */\nexport type ErrorCode =\n" +
                 "".join(f"    | {json.dumps(code)}\n" for code in codes).rstrip() + ";\n")
    parts.append("/** The body of an error, with the codes that it can have. */\n"
                 "export type ErrorAnswer<Code extends ErrorCode = ErrorCode> = ErrorBody & { errorCode: Code };\n")
    operations = "".join(of_operation(api, *one) for one in api.operations())
    parts.append("/** Each operation by its operationId. */\nexport interface Operations {\n" + operations + "}\n")
    return "\n".join(parts)


if __name__ == "__main__":
    main(render)
