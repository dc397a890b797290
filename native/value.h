/* The base class of all values: an object that holds a payload and nothing else. */

#ifndef ASYNCPG_VECTOR_VALUE_H
#define ASYNCPG_VECTOR_VALUE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyTypeObject PayloadType;

/* Make a value of a subclass of PayloadType. It takes over the reference to the payload, also if it fails. */
PyObject *make_value(PyTypeObject *value_class, PyObject *payload);

/* Make a value of a class that lasts as long as the program. Since bytes refer to nothing, the collector need not look
 * at the value; a class that has a value of itself would never be collected, though. */
PyObject *make_lasting_value(PyTypeObject *value_class, PyObject *payload);

/* The payload of a value, borrowed; NULL of a value that another constructor made. */
PyObject *payload_of(PyObject *value);

/* wrap(value_class, payload), for Python. */
PyObject *wrap(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

#endif
