# SPDX-License-Identifier: MIT
"""What is served: members, apps, configurations, and the requests that are sent."""
import base64
import csv
import hashlib
import json
import sqlite3

SECRET = "bench-secret"
KEY = "0123456789abcdef0123456789abcdef"
CHAT_URL = "wss://chat.example.com/ws"
REQUESTS = 1000  # different ones, sent in turn
COLUMNS = ("appUserId", "appUserName", "appUserProfileImgUrl", "role", "state")
GUEST_PATH = "/v2/apps/me/members/guest-chat-tokens"


def member_id(number):
    """24 hexadecimal digits, as a document database makes them."""
    return hashlib.md5(str(number).encode()).hexdigest()[:24]


def member(number):
    return (member_id(number), f"member {number}", f"https://img.example.com/{number}.jpg",
            "member", "ACTIVE")


def member_path(number):
    return f"/v2/apps/me/members/{member_id(number)}/chat-tokens"


def app_name(number):
    return f"bench-{number}"


# ---- Members ----

def quote_csv(source, target):
    """The same members with every field in quotes."""
    with open(source, encoding="utf-8") as plain, open(target, "w", encoding="utf-8") as quoted:
        for line in plain:
            quoted.write('"' + line.rstrip("\n").replace(",", '","') + '"\n')


def write_csv(path, count):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(member(number) for number in range(count))


def write_sqlite(path, count):
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE members "
                         "(id TEXT PRIMARY KEY, name TEXT, avatar TEXT, role TEXT) WITHOUT ROWID")
        database.executemany("INSERT INTO members VALUES (?, ?, ?, ?)",
                             sorted(member(number)[:4] for number in range(count)))


def php_value(value):
    """A PHP literal of dictionaries and strings without quotes and backslashes."""
    if isinstance(value, dict):
        inside = ",\n".join(f"'{key}' => {php_value(item)}" for key, item in value.items())
        return f"[\n{inside}]"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(php_value(item) for item in value) + "]"
    return f"'{value}'"


def php_file(value):
    return f"<?php return {php_value(value)};\n"


def php_members(count):
    return php_file({member_id(number): member(number)[:4] for number in range(count)})


# ---- Configurations ----

def secret_digest():
    return hashlib.sha256(SECRET.encode()).hexdigest()


def app_block(number):
    return f'''    {app_name(number)} = {{
        api_key = "{app_name(number)}"
        api_secret_sha256 = [ "{secret_digest()}" ]
        chat_server_url = "{CHAT_URL}"
        store = "members"
        token = {{ key_file = "key"; key_id = "bench" }}
    }}
'''


def memberchat_config(members, apps=1, threads=8, before=""):
    blocks = "".join(app_block(number) for number in range(apps))
    return f'''{before}threads = {threads}
stores = {{
    members = {{ plugin = "file"; path = "{members}" }}
}}
apps = {{
{blocks}}}
'''


def php_config(stores):
    """One app a store; STORES are paths, in the order of the apps."""
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT","kid":"bench"}')
    return php_file({
        app_name(number): {
            "id": app_name(number),
            "secret_sha256": secret_digest(),
            "chat_server_url": CHAT_URL,
            "members": path,
            "token_header": header.decode().rstrip("="),
            "token_secret": KEY,
        } for number, path in enumerate(stores)})


# ---- Requests ----

def authorization(app):
    return "Basic " + base64.b64encode(f"{app_name(app)}:{SECRET}".encode()).decode()


def guest_body(number):
    return f'{{"appUserName":"Guest {number}"}}'


def raw_request(mount, path, body, app):
    return (f"POST {mount}{path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
            f"Authorization: {authorization(app)}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}")


def guest_requests(mount, apps=1):
    return [raw_request(mount, GUEST_PATH, guest_body(n), n % apps) for n in range(REQUESTS)]


def member_requests(mount, members, app=0):
    """Spread over all members."""
    step = max(1, members // REQUESTS)
    return [raw_request(mount, member_path(n * step % members), "", app) for n in range(REQUESTS)]


def lua_table(requests):
    """JSON's way to write ASCII is Lua's, too."""
    return "return {\n" + ",\n".join(json.dumps(text) for text in requests) + "}\n"
