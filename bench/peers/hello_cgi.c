/* SPDX-License-Identifier: MIT
 *
 * hello_cgi: a CGI program that prints an answer of $HELLO_LENGTH bytes and
 * does nothing else.  What it costs is what a process costs.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MAX 8192

int main(void)
{
    static const char head[] = "Status: 200 OK\r\nContent-Type: application/json\r\n\r\n";
    static char answer[ANSWER_MAX];
    const char *wanted = getenv("HELLO_LENGTH");
    size_t length = wanted ? strtoul(wanted, NULL, 10) : 0;

    if (length < sizeof head || length > sizeof answer)
        length = sizeof head;
    memset(answer, 'x', length);
    memcpy(answer, head, sizeof head - 1);
    return write(STDOUT_FILENO, answer, length) == (ssize_t)length ? 0 : 1;
}
