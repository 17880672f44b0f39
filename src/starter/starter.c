/* SPDX-License-Identifier: MIT
 * In the kit, memberchat.fcgi and memberchat: starts the program of the same name with the kit's
 * own loader and libraries.  Linked statically: the host may have another C library. */
#include "host/kit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct reason why = {0};
    (void)argc;
    kit_find();
    bool is_command = strcmp(kit_program_name(), "memberchat") == 0;
    if (!is_command)
        kit_keep_errors();
    kit_exec(is_command ? "memberchat" : "memberchat.fcgi", argv, &why);
    if (write(STDERR_FILENO, why.text, strlen(why.text)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
        return 2;
    return EXIT_FAILURE;
}
