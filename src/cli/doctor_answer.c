/* SPDX-License-Identifier: MIT
 * An HTTP answer, taken apart. */
#include "doctor_private.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Drops interim answers (RFC 9110, section 15.2). */
bool doctor_answer_read(struct doctor_answer *answer)
{
    const char *text = bytes_string(&answer->text), *end;
    do {
        end = strstr(text, "\r\n\r\n");
        if (!end || sscanf(text, "HTTP/%*[0-9.] %3d", &answer->status) != 1)
            return false;
        answer->head = (struct span){text, (size_t)(end + 2 - text)};
        text = end + 4;
    } while (answer->status / 100 == 1);
    answer->body = (struct span){text, answer->text.length - (size_t)(text - answer->text.data)};
    return true;
}

void doctor_answer_free(struct doctor_answer *answer)
{
    bytes_free(&answer->text);
}

struct span doctor_header(const struct doctor_answer *answer, const char *name)
{
    size_t length = strlen(name);
    const char *end = answer->head.data + answer->head.length;
    for (const char *line = answer->head.data; line < end; line += strcspn(line, "\n") + 1)
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            const char *value = line + length + 1;
            value += strspn(value, " \t");
            return (struct span){value, strcspn(value, "\r\n")};
        }
    return SPAN_NONE;
}
