/* Sorting the entries of a sparse value by their indices. */

#ifndef ASYNCPG_VECTOR_SORTING_H
#define ASYNCPG_VECTOR_SORTING_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int64_t index;
    double element;
} Entry;

/* Sort count entries; spare has room for as many. Entries that ascend already are left alone. */
void sort_entries(Entry *entries, size_t count, Entry *spare);

#endif
