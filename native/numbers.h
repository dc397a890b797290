/* kernel.Format: the numbers of a payload, as lists, arrays and text. */

#ifndef ASYNCPG_VECTOR_NUMBERS_H
#define ASYNCPG_VECTOR_NUMBERS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "formats.h"

/* How the text form writes numbers; the order of digits_names. */
typedef enum { FLOAT32_DIGITS, FLOAT64_DIGITS, INTEGER_DIGITS, DIGITS_COUNT, NO_DIGITS = DIGITS_COUNT } Digits;

extern const char *const digits_names[DIGITS_COUNT];

/* PyMethodDef has one type for functions of all calling conventions. */
#define METHOD(function) ((PyCFunction)(void (*)(void))(function))

extern PyTypeObject FormatType;

/* Find the place of a name; -1 with a ValueError if it is none of these. */
int find_name(const char *name, const char *const *names, int count);

/* Find a format by its name and "big" or "little"; false with a ValueError if there is none. */
bool find_format(const char *name, const char *byte_order, Format *format);

/* Find digits by their name in text.py; false with a ValueError if there are none. */
bool find_digits(const char *name, Digits *digits);

/* Make a list of the numbers of a payload. */
PyObject *unpack_list(Format format, const unsigned char *payload, Py_ssize_t count);

/* Print finite numbers of a payload, with commas between them, and the given characters around them. */
PyObject *print_list(Format format, Digits digits, const unsigned char *payload, Py_ssize_t count, const char *opening,
                     const char *closing);

/* Read the text of numbers that are separated by commas, with white space around them, and narrow them to a format.
 * False for anything that Python has to read. */
bool pack_text(const char *text, const char *end, Digits digits, Format format, size_t count, unsigned char *payload);

#endif
