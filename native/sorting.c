#include "sorting.h"

#include <stdbool.h>
#include <string.h>

/* The entries that are sorted by insertion, before they are merged. */
#define RUN 16

static bool is_ascending(const Entry *entries, size_t count)
{
    for (size_t place = 1; place < count; place++) {
        if (entries[place - 1].index > entries[place].index) {
            return false;
        }
    }
    return true;
}

static void insert_each(Entry *entries, size_t count)
{
    for (size_t place = 1; place < count; place++) {
        Entry entry = entries[place];
        size_t target = place;
        for (; target > 0 && entries[target - 1].index > entry.index; target--) {
            entries[target] = entries[target - 1];
        }
        entries[target] = entry;
    }
}

static void merge(const Entry *left, size_t left_count, const Entry *right, size_t right_count, Entry *target)
{
    const Entry *left_end = left + left_count, *right_end = right + right_count;
    while (left < left_end && right < right_end) {
        bool is_right = right->index < left->index;
        *target++ = is_right ? *right : *left;
        right += is_right;
        left += !is_right;
    }
    memcpy(target, left, (size_t)(left_end - left) * sizeof(Entry));
    memcpy(target + (left_end - left), right, (size_t)(right_end - right) * sizeof(Entry));
}

static size_t at_most(size_t size, size_t left)
{
    return size < left ? size : left;
}

/* Merge neighbouring runs of sorted entries into the target. */
static void merge_runs(const Entry *entries, size_t count, size_t run, Entry *target)
{
    for (size_t first = 0; first < count; first += 2 * run) {
        size_t left_count = at_most(run, count - first);
        size_t right_count = at_most(run, count - first - left_count);
        merge(entries + first, left_count, entries + first + left_count, right_count, target + first);
    }
}

void sort_entries(Entry *entries, size_t count, Entry *spare)
{
    if (is_ascending(entries, count)) {
        return;
    }
    for (size_t first = 0; first < count; first += RUN) {
        insert_each(entries + first, at_most(RUN, count - first));
    }
    Entry *source = entries, *target = spare;
    for (size_t run = RUN; run < count; run *= 2) {
        merge_runs(source, count, run, target);
        Entry *merged = target;
        target = source;
        source = merged;
    }
    if (source != entries) {
        memcpy(entries, source, count * sizeof(Entry));
    }
}
