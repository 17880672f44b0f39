/* SPDX-License-Identifier: MIT
 * Things by text.  A map owns nothing but its buckets: its nodes are members of the caller's
 * structs.  It keeps the order in which they were added.  The caller hashes the keys, with
 * hash_keyed() where they come from outside. */
#ifndef MAP_H
#define MAP_H

#include "bytes.h"

struct map_node {
    struct map_node *older, *newer;
    struct map_node *next; /* in its bucket */
    uint64_t hash;
    struct span key; /* borrowed */
};

struct map {
    struct map_node **buckets;
    size_t bucket_count, count;
    struct map_node *oldest, *newest;
};

bool map_init(struct map *map); /* false: no memory */
void map_free(struct map *map);

/* NULL: it is not there. */
struct map_node *map_find(const struct map *map, uint64_t hash, struct span key);

/* Adds a node as the newest.  Its key is not in the map yet, and lives as long as it is. */
void map_add(struct map *map, struct map_node *node, uint64_t hash, struct span key);
void map_remove(struct map *map, struct map_node *node);

#endif
