/* SPDX-License-Identifier: MIT */
#include "mapping.h"

#include "base/text.h"

#include <string.h>

enum step_kind { STEP_TRIM, STEP_LOWER, STEP_BEFORE, STEP_AFTER, STEP_APPEND };

struct mapping_step {
    enum step_kind kind;
    struct span text;
};

struct mapping_test {
    struct span field, text, role;
    enum memberchat_field own; /* the field is one of these; 0: an attribute */
    bool contains, any_case;
};

/* ---- Making one ---- */

/* An array with room for one more; these are short, and made once.  NULL: no memory. */
static void *grow(const void *items, size_t count, size_t size, struct arena *arena,
                  struct reason *why)
{
    char *grown = arena_alloc(arena, (count + 1) * size);
    if (!grown)
        reason_set(why, "out of memory");
    else if (count)
        memcpy(grown, items, count * size);
    return grown;
}

bool mapping_add_step(struct mapping *mapping, const char *text, struct arena *arena,
                      struct reason *why)
{
    static const struct {
        const char *word;
        enum step_kind kind;
    } rows[] = {{"trim", STEP_TRIM},
                {"lower", STEP_LOWER},
                {"before ", STEP_BEFORE},
                {"after ", STEP_AFTER},
                {"append ", STEP_APPEND}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = strlen(rows[i].word);
        bool takes_text = rows[i].word[length - 1] == ' ';
        if (takes_text ? strncmp(text, rows[i].word, length) != 0 || !text[length]
                       : strcmp(text, rows[i].word) != 0)
            continue;
        struct mapping_step *steps =
            grow(mapping->steps, mapping->step_count, sizeof *steps, arena, why);
        if (!steps)
            return false;
        steps[mapping->step_count++] = (struct mapping_step){rows[i].kind, span_of(text + length)};
        mapping->steps = steps;
        return true;
    }
    reason_set(why,
               "\"%s\" cannot be done to an id: use \"trim\", \"lower\", \"before X\", \"after X\" "
               "or \"append X\"",
               text);
    return false;
}

static enum memberchat_field field_of(struct span name)
{
    static const char *const names[] = {[MEMBERCHAT_ID] = "id",
                                        [MEMBERCHAT_NAME] = "name",
                                        [MEMBERCHAT_AVATAR] = "avatar",
                                        [MEMBERCHAT_ROLE] = "role"};
    for (int field = MEMBERCHAT_ID; field <= MEMBERCHAT_ROLE; field++)
        if (span_equal(name, span_of(names[field])))
            return (enum memberchat_field)field;
    return 0;
}

static bool is_attribute_name(struct span name, struct reason *why)
{
    if (name.length && name.length <= MEMBERCHAT_ATTRIBUTE_NAME_MAX && text_is_plain(name))
        return true;
    reason_set(why, "\"%.*s\" cannot be the name of a field: it must have 1 to %d bytes of UTF-8",
               (int)name.length, name.data, MEMBERCHAT_ATTRIBUTE_NAME_MAX);
    return false;
}

static bool parse(const char *text, struct arena *arena, struct template *template_r,
                  struct reason *why)
{
    if (!text_is_plain(span_of(text))) {
        reason_set(why, "the template must be UTF-8 without control characters");
        return false;
    }
    if (!template_parse(span_of(text), arena, template_r, why))
        return false;
    for (size_t i = 0; i < template_r->count; i++) {
        struct template_part *part = &template_r->parts[i];
        part->value = (unsigned)field_of(part->text);
        if (part->written.data && !part->value && !is_attribute_name(part->text, why))
            return false;
    }
    return true;
}

bool mapping_add_name(struct mapping *mapping, const char *text, struct arena *arena,
                      struct reason *why)
{
    struct template *names = grow(mapping->names, mapping->name_count, sizeof *names, arena, why);
    if (!names || !parse(text, arena, &names[mapping->name_count], why))
        return false;
    mapping->names = names;
    mapping->name_count++;
    return true;
}

/* NULL: *why; one that was read in part is no template. */
static struct template *read_template(const char *text, struct arena *arena, struct reason *why)
{
    struct template *made = grow(NULL, 0, sizeof *made, arena, why);
    return made && parse(text, arena, made, why) ? made : NULL;
}

bool mapping_set_avatar(struct mapping *mapping, const char *text, struct arena *arena,
                        struct reason *why)
{
    mapping->avatar = read_template(text, arena, why);
    return mapping->avatar != NULL;
}

bool mapping_set_role(struct mapping *mapping, const char *text, struct arena *arena,
                      struct reason *why)
{
    mapping->role = read_template(text, arena, why);
    return mapping->role != NULL;
}

bool mapping_add_rule(struct mapping *mapping, const struct mapping_rule *rule, struct arena *arena,
                      struct reason *why)
{
    struct span field = span_of(rule->field);
    struct mapping_test *tests =
        grow(mapping->tests, mapping->test_count, sizeof *tests, arena, why);
    if (!tests || !is_attribute_name(field, why))
        return false;
    tests[mapping->test_count++] = (struct mapping_test){
        .field = field,
        .text = span_of(rule->is ? rule->is : rule->contains),
        .role = span_of(rule->role),
        .own = field_of(field),
        .contains = !rule->is,
        .any_case = rule->is && strchr(rule->is, '='),
    };
    mapping->tests = tests;
    return true;
}

static void visit_template(const struct template *template,
                           void (*visit)(void *context, struct span name), void *context)
{
    for (size_t i = 0; template && i < template->count; i++)
        if (template->parts[i].written.data && !template->parts[i].value)
            visit(context, template->parts[i].text);
}

void mapping_each_attribute(const struct mapping *mapping,
                            void (*visit)(void *context, struct span name), void *context)
{
    for (size_t i = 0; i < mapping->name_count; i++)
        visit_template(&mapping->names[i], visit, context);
    visit_template(mapping->avatar, visit, context);
    visit_template(mapping->role, visit, context);
    for (size_t i = 0; i < mapping->test_count; i++)
        if (!mapping->tests[i].own)
            visit(context, mapping->tests[i].field);
}

/* ---- The id that is asked for ---- */

/* Where a text begins in another one, its length when it does not. */
static size_t find(struct span text, struct span part)
{
    const char *at = memmem(text.data, text.length, part.data, part.length);
    return at ? (size_t)(at - text.data) : text.length;
}

/* `id` is in `room`. */
static struct span take_step(const struct mapping_step *step, struct span id,
                             char room[MEMBERCHAT_ID_MAX])
{
    size_t at;
    switch (step->kind) {
    case STEP_TRIM:
        return span_trim(id, " ");
    case STEP_LOWER:
        for (size_t i = 0; i < id.length; i++)
            room[(size_t)(id.data - room) + i] = text_lower(id.data[i]);
        return id;
    case STEP_BEFORE:
        return (struct span){id.data, find(id, step->text)};
    case STEP_AFTER:
        at = find(id, step->text);
        at = at < id.length ? at + step->text.length : 0;
        return (struct span){id.data + at, id.length - at};
    case STEP_APPEND:
        break;
    }
    if (step->text.length > MEMBERCHAT_ID_MAX - id.length)
        return SPAN_NONE;
    memmove(room, id.data, id.length);
    memcpy(room + id.length, step->text.data, step->text.length);
    return (struct span){room, id.length + step->text.length};
}

struct span mapping_ask(const struct mapping *mapping, struct span id, char room[MEMBERCHAT_ID_MAX])
{
    if (mapping->step_count == 0 || id.length > MEMBERCHAT_ID_MAX)
        return id;
    memcpy(room, id.data, id.length);
    id.data = room;
    for (size_t i = 0; i < mapping->step_count && id.length; i++)
        id = take_step(&mapping->steps[i], id, room);
    return id.length ? id : SPAN_NONE;
}

/* ---- The member that was found ---- */

static struct span find_value(void *context, const struct template_part *part)
{
    const struct member *member = context;
    return part->value ? member_field(member, (enum memberchat_field)part->value)
                       : member_attribute(member, part->text);
}

/* Appends a template to `out`, and says where it is.  Of no length: it has no value. */
static struct member_range render(const struct template *template, struct member *member,
                                  struct bytes *out)
{
    struct member_range range = {out->length, 0};
    if (template_render(template, find_value, member, out, NULL) == TEMPLATE_FILLED)
        range.length = out->length - range.offset;
    return range;
}

static bool value_fits(const struct mapping_test *test, struct span value)
{
    if (!value.data)
        return false;
    if (test->contains)
        return memmem(value.data, value.length, test->text.data, test->text.length);
    return test->any_case ? span_matches(value, test->text) : span_equal(value, test->text);
}

/* Whether one of the values of the field fits. */
static bool test_fits(const struct mapping_test *test, const struct member *member)
{
    struct span value;
    size_t index = 0;
    if (test->own)
        return value_fits(test, member_field(member, test->own));
    while ((value = member_next_value(member, test->field, &index)).data)
        if (value_fits(test, value))
            return true;
    return false;
}

static struct member_range make_role(const struct mapping *mapping, struct member *member,
                                     struct bytes *out)
{
    for (size_t i = 0; i < mapping->test_count; i++)
        if (test_fits(&mapping->tests[i], member)) {
            struct member_range range = {out->length, mapping->tests[i].role.length};
            bytes_add_span(out, mapping->tests[i].role);
            return range;
        }
    return mapping->role ? render(mapping->role, member, out) : (struct member_range){0, 0};
}

bool mapping_apply(const struct mapping *mapping, struct member *member,
                   void (*told)(void *context, const char *what), void *context)
{
    struct bytes made = {0}; /* all, before any is set: they are made of what the store said */
    struct member_range ranges[MEMBERCHAT_ROLE + 1] = {{0, 0}};
    for (size_t i = 0; i < mapping->name_count && !ranges[MEMBERCHAT_NAME].length; i++)
        ranges[MEMBERCHAT_NAME] = render(&mapping->names[i], member, &made);
    if (mapping->avatar)
        ranges[MEMBERCHAT_AVATAR] = render(mapping->avatar, member, &made);
    ranges[MEMBERCHAT_ROLE] = make_role(mapping, member, &made);

    bool good = !made.failed;
    for (int field = MEMBERCHAT_NAME; good && field <= MEMBERCHAT_ROLE; field++) {
        const struct member_range *range = &ranges[field];
        const char *what;
        if (!range->length)
            continue;
        struct span value = {made.data + range->offset, range->length};
        enum member_set verdict = member_set(member, (enum memberchat_field)field, value, &what);
        if (verdict == MEMBER_UNUSABLE)
            told(context, what);
        good = verdict != MEMBER_NO_MEMORY;
    }
    bytes_free(&made);
    return good;
}
