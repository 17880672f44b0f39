/* SPDX-License-Identifier: MIT */
#include "exchange.h"

#include <string.h>

void exchange_note_id(struct exchange *exchange, struct span id)
{
    struct exchange_notes *notes = &exchange->notes;
    notes->id_length = id.length < sizeof notes->id ? id.length : sizeof notes->id;
    if (notes->id_length)
        memcpy(notes->id, id.data, notes->id_length);
}
