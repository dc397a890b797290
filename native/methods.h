/* The methods of kernel.Type. Each does the good path, and leaves anything else to Python. */

#ifndef ASYNCPG_VECTOR_METHODS_H
#define ASYNCPG_VECTOR_METHODS_H

#include "facts.h"

/* Return the payload of a parameter, or what Python's encoder returns. */
PyObject *type_encode(PyObject *self, PyObject *value);

/* Return a value of a payload, or what Python's decoder returns. */
PyObject *type_decode(PyObject *self, PyObject *payload);

/* Return what a value of a payload becomes, without the value if it is dense. */
PyObject *type_decode_list(PyObject *self, PyObject *payload);
PyObject *type_decode_text(PyObject *self, PyObject *payload);

/* Encode a row of numbers of any holder. NULL with an exception if there is no memory, and NULL without one if Python
 * has to encode it. */
PyObject *encode_row(const Type *type, PyObject *value);

/* These take a class of values and an object. They return None if Python has to do it. */

/* Make a value of a payload that the server would take. */
PyObject *type_from_binary(PyObject *self, PyObject *const *arguments, Py_ssize_t count);

/* Make a value of base64 of float32. */
PyObject *type_from_float_base64(PyObject *self, PyObject *const *arguments, Py_ssize_t count);

/* Make a value of a row of numbers of any holder. */
PyObject *type_from_numbers(PyObject *self, PyObject *const *arguments, Py_ssize_t count);

/* Make a list of values of the rows of an ndarray, list or tuple. A third argument tells whether None is a null row,
 * which remains None. */
PyObject *type_from_matrix(PyObject *self, PyObject *const *arguments, Py_ssize_t count);

/* Make an ndarray of a list of values, a row for each. */
PyObject *type_to_matrix(PyObject *self, PyObject *const *arguments, Py_ssize_t count);

/* Encode the arguments of from_coo(). NULL with an exception if there is no memory, and NULL without one if Python has
 * to encode them. */
PyObject *encode_sparse(const Type *type, PyObject *entries);

#endif
