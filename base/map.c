/* SPDX-License-Identifier: MIT */
#include "map.h"

#include <stdlib.h>

#define FIRST_BUCKETS 8 /* a power of two, as all sizes are */

bool map_init(struct map *map)
{
    *map = (struct map){.bucket_count = FIRST_BUCKETS};
    map->buckets = calloc(FIRST_BUCKETS, sizeof(struct map_node *));
    return map->buckets != NULL;
}

void map_free(struct map *map)
{
    free(map->buckets);
    *map = (struct map){0};
}

static struct map_node **bucket_of(const struct map *map, uint64_t hash)
{
    return &map->buckets[hash & (map->bucket_count - 1)];
}

struct map_node *map_find(const struct map *map, uint64_t hash, struct span key)
{
    struct map_node *node = *bucket_of(map, hash);
    while (node && (node->hash != hash || !span_equal(node->key, key)))
        node = node->next;
    return node;
}

/* Where memory is short, the buckets stay as few as they are. */
static void grow(struct map *map)
{
    struct map grown = {.bucket_count = 2 * map->bucket_count};
    grown.buckets = calloc(grown.bucket_count, sizeof(struct map_node *));
    if (!grown.buckets)
        return;
    for (struct map_node *node = map->oldest; node; node = node->newer) {
        struct map_node **bucket = bucket_of(&grown, node->hash);
        node->next = *bucket;
        *bucket = node;
    }
    free(map->buckets);
    map->buckets = grown.buckets;
    map->bucket_count = grown.bucket_count;
}

void map_add(struct map *map, struct map_node *node, uint64_t hash, struct span key)
{
    if (map->count == map->bucket_count)
        grow(map);
    struct map_node **bucket = bucket_of(map, hash);
    *node = (struct map_node){.older = map->newest, .next = *bucket, .hash = hash, .key = key};
    *bucket = node;
    if (map->newest)
        map->newest->newer = node;
    else
        map->oldest = node;
    map->newest = node;
    map->count++;
}

void map_remove(struct map *map, struct map_node *node)
{
    struct map_node **link = bucket_of(map, node->hash);
    while (*link != node)
        link = &(*link)->next;
    *link = node->next;
    if (node->older)
        node->older->newer = node->newer;
    else
        map->oldest = node->newer;
    if (node->newer)
        node->newer->older = node->older;
    else
        map->newest = node->older;
    map->count--;
}
