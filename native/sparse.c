/* Entries of a sparse value to payloads. */

#include "holders.h"
#include "methods.h"
#include "sorting.h"

/* Read the indices of a list or tuple. False if one is no int, or there is no such dimension. */
static bool read_indices(PyObject *const *objects, Py_ssize_t count, int64_t dimensions, Entry *entries)
{
    for (Py_ssize_t place = 0; place < count; place++) {
        int64_t index;
        if (!read_int64(objects[place], &index) || index < 0 || index >= dimensions) {
            return false;
        }
        entries[place].index = index;
    }
    return true;
}

/* Read the elements, narrowed to the type's format, so that those that became zero can be told. */
static bool read_elements(const Type *type, const Numbers *numbers, Entry *entries)
{
    double block[BLOCK];
    unsigned char narrowed[BLOCK * sizeof(double)];
    for (Py_ssize_t first = 0; first < numbers->count; first += BLOCK) {
        Py_ssize_t count = next_block(numbers->count - first);
        if (!read_doubles(numbers, first, count, block) ||
            !narrow_doubles(type->element, block, (size_t)count, narrowed)) {
            return false;
        }
        widen(type->element, narrowed, (size_t)count, block);
        for (Py_ssize_t place = 0; place < count; place++) {
            entries[first + place].element = block[place];
        }
    }
    return true;
}

static bool are_distinct(const Entry *entries, Py_ssize_t count)
{
    for (Py_ssize_t place = 1; place < count; place++) {
        if (entries[place - 1].index == entries[place].index) {
            return false;
        }
    }
    return true;
}

static Py_ssize_t drop_zeros(Entry *entries, Py_ssize_t count)
{
    Py_ssize_t kept = 0;
    for (Py_ssize_t place = 0; place < count; place++) {
        if (entries[place].element != 0) {
            entries[kept++] = entries[place];
        }
    }
    return kept;
}

static void pack_entries(const Type *type, const Entry *entries, Py_ssize_t count, unsigned char *body)
{
    unsigned char *elements = body + count * type->index.width;
    double indices[BLOCK], numbers[BLOCK];
    for (Py_ssize_t first = 0; first < count; first += BLOCK) {
        Py_ssize_t packed = next_block(count - first);
        for (Py_ssize_t place = 0; place < packed; place++) {
            indices[place] = (double)entries[first + place].index;
            numbers[place] = entries[first + place].element;
        }
        narrow_doubles(type->index, indices, (size_t)packed, body + first * type->index.width);
        narrow_doubles(type->element, numbers, (size_t)packed, elements + first * type->element.width);
    }
}

/* Encode entries; there is room for twice as many, which sorting takes. */
static PyObject *encode_entries(const Type *type, PyObject *const *indices, const Numbers *numbers, int64_t dimensions,
                                Entry *entries)
{
    Py_ssize_t count = numbers->count;
    if (!read_indices(indices, count, dimensions, entries) || !read_elements(type, numbers, entries)) {
        return NULL;
    }
    sort_entries(entries, (size_t)count, entries + count);
    if (!are_distinct(entries, count)) {
        return NULL;
    }
    count = drop_zeros(entries, count);
    if (!is_in_range(&type->nnz, count)) {
        return NULL;
    }
    unsigned char *body;
    PyObject *payload = make_payload(type, dimensions, count, &body);
    if (payload != NULL) {
        pack_entries(type, entries, count, body);
    }
    return payload;
}

static bool is_list_or_tuple(PyObject *value)
{
    return PyList_CheckExact(value) || PyTuple_CheckExact(value);
}

static PyObject *encode_columns(const Type *type, PyObject *indices, PyObject *elements, int64_t dimensions)
{
    Numbers numbers;
    if (!is_list_or_tuple(indices) || !open_numbers(elements, &numbers)) {
        return NULL;
    }
    PyObject *payload = NULL;
    if (Py_SIZE(indices) == numbers.count) {
        Entry *entries = PyMem_Malloc((size_t)(2 * numbers.count + 1) * sizeof(Entry));
        if (entries == NULL) {
            PyErr_NoMemory();
        } else {
            payload = encode_entries(type, PySequence_Fast_ITEMS(indices), &numbers, dimensions, entries);
            PyMem_Free(entries);
        }
    }
    close_numbers(&numbers);
    return payload;
}

PyObject *encode_sparse(const Type *type, PyObject *value)
{
    int64_t dimensions;
    if (!Py_IS_TYPE(value, type->entries) || PyTuple_GET_SIZE(value) != 3) {
        return NULL;
    }
    if (!read_int64(PyTuple_GET_ITEM(value, 2), &dimensions) || !is_in_range(&type->dimensions, dimensions)) {
        return NULL;
    }
    PyObject *payload, *indices = PyTuple_GET_ITEM(value, 0), *elements = PyTuple_GET_ITEM(value, 1);
    BEGIN_READING_TWO(indices, elements);
    payload = encode_columns(type, indices, elements, dimensions);
    END_READING_TWO();
    return payload;
}
