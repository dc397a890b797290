/* Base64 as embedding APIs send it, decoded with no leniency. */

#ifndef ASYNCPG_VECTOR_BASE64_H
#define ASYNCPG_VECTOR_BASE64_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Call it once, before decode_base64. */
void fill_base64_tables(void);

/* Decode a str or bytes. NULL without an exception for anything that Python has to read. */
PyObject *decode_base64(PyObject *text);

#endif
