#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A chat token, with curl.  usage: chat_token.sh member ID | chat_token.sh guest [NAME]
# From the environment: MEMBERCHAT_URL, MEMBERCHAT_API_KEY, MEMBERCHAT_API_SECRET.
# Prints the answer.  Exit 0: a token; 1: refused, with errorCode on stderr; 2: no answer; 64: wrong arguments.
set -eu

# escaped TEXT: as it stands between quotes in JSON and in a configuration of curl.
escaped() {
    printf %s "$1" | sed 's/[\\"]/\\&/g'
}

# encoded TEXT: each byte as %XX, which is right for every id.
encoded() {
    printf %s "$1" | od -An -v -tx1 | tr -d '\n' | tr ' ' %
}

case "${1-} $#" in
"member 2") path=$(encoded "$2")/chat-tokens body= ;;
"guest 1") path=guest-chat-tokens body='{}' ;;
"guest 2") path=guest-chat-tokens body='{"appUserName":"'$(escaped "$2")'"}' ;;
*) echo "usage: chat_token.sh member ID | chat_token.sh guest [NAME]" >&2 && exit 64 ;;
esac

answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# The secret goes through a pipe: everyone on the machine can read a command line.  On 429 and 503, curl itself
# waits as long as Retry-After says, and gives up where that is more than 15 seconds.
status=$(printf 'user = "%s:%s"\n' "$(escaped "$MEMBERCHAT_API_KEY")" "$(escaped "$MEMBERCHAT_API_SECRET")" |
    curl --config - --silent --show-error --max-time 10 --retry 2 --retry-max-time 15 \
        --header 'Content-Type: application/json' --data "$body" \
        --output "$answer" --write-out '%{http_code}' \
        "$MEMBERCHAT_URL/v2/apps/me/members/$path") || exit 2

if [ "$status" = 200 ]; then
    cat "$answer"
    echo
    exit
fi
code=$(sed -n 's/.*"errorCode" *: *"\([A-Z_]*\)".*/\1/p' "$answer")
message=$(sed -n 's/.*"errorMessage" *: *"\(.*\)".*/\1/p' "$answer")
echo "${code:-HTTP $status}: ${message:-the answer is not from memberchat}" >&2
exit 1
