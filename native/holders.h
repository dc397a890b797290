/* Holders of numbers: the lists, tuples, arrays and buffers that are read here; everything else is left to Python.
 *
 * asyncpg_vector/runtime/holders.py is the judge. Nothing here runs Python code of the caller; encode_row() asks
 * asyncpg_vector/runtime/arrays.py for an ndarray of an object that is not read here. */

#ifndef ASYNCPG_VECTOR_HOLDERS_H
#define ASYNCPG_VECTOR_HOLDERS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "formats.h"

/* Lists may change while another thread runs. */
#ifdef Py_BEGIN_CRITICAL_SECTION
#define BEGIN_READING(holder) Py_BEGIN_CRITICAL_SECTION(holder)
#define END_READING() Py_END_CRITICAL_SECTION()
#define BEGIN_READING_TWO(holder, other) Py_BEGIN_CRITICAL_SECTION2(holder, other)
#define END_READING_TWO() Py_END_CRITICAL_SECTION2()
#else
#define BEGIN_READING(holder) {
#define END_READING() }
#define BEGIN_READING_TWO(holder, other) {
#define END_READING_TWO() }
#endif

/* The numbers that are converted at a time, which fit the processor's nearest cache. */
#define BLOCK 512

/* How many numbers the next block has, if so many are left. */
static inline Py_ssize_t next_block(Py_ssize_t left)
{
    return left < BLOCK ? left : BLOCK;
}

/* A row of numbers: objects of a list or tuple, or memory that a buffer has exported. */
typedef struct {
    Py_ssize_t count;
    bool are_objects;
    PyObject *const *objects; /* NULL also of an empty list */
    Row row;
    Py_buffer view;
} Numbers;

/* Find array.array; -1 with an exception if that fails. */
int meet_array(void);

/* Remember the types of NumPy, which the program has imported; -1 with an exception if that fails. */
int meet_numpy(PyObject *numpy);

/* Whether an object is an ndarray or a memmap. */
bool is_ndarray(PyObject *value);

/* Open a one-dimensional holder. False, without an exception, for any that Python has to read. */
bool open_numbers(PyObject *value, Numbers *numbers);
void close_numbers(Numbers *numbers);

/* Open an ndarray of two dimensions. False, without an exception, for any that Python has to read. */
bool open_matrix(PyObject *value, Py_buffer *view, Dtype *dtype, bool *is_swapped);

/* Narrow all numbers to a format. False if Python has to do it. */
bool pack_numbers(const Numbers *numbers, Format format, unsigned char *payload);

/* Read numbers from a place on as doubles. False if Python has to do it. */
bool read_doubles(const Numbers *numbers, Py_ssize_t first, Py_ssize_t count, double *doubles);

/* Read the integer that an object is; False if it is of another class than int, or does not fit. */
bool read_int64(PyObject *number, int64_t *integer);

/* Make an ndarray for a format's numbers. NULL with an exception if there is no memory, or NumPy is not known. */
PyObject *make_row(FormatName format, Py_ssize_t count);
PyObject *make_matrix(FormatName format, Py_ssize_t rows, Py_ssize_t columns);

#endif
