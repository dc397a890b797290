/* The facts of a type, as its generated module has them. */

#ifndef ASYNCPG_VECTOR_FACTS_H
#define ASYNCPG_VECTOR_FACTS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "formats.h"
#include "numbers.h"

/* The most bytes of a header; types of a longer one stay with Python. */
#define MAX_HEADER 64

typedef enum { DENSE, SPARSE, BITS } Layout;

/* A count in the header: of dimensions, of elements that are not zero, or of bits. */
typedef struct {
    Py_ssize_t offset;
    Format format;
    int64_t least, most;
} Count;

typedef struct {
    PyObject_HEAD
    PyTypeObject *value_class;
    PyObject *encode; /* Python's encoder and decoder, for all that is not done here */
    PyObject *decode;
    PyObject *open_foreign; /* Python's, which makes an ndarray of a holder of another library, or None */
    PyTypeObject *entries;  /* the class of arguments of a sparse value's constructor */
    Layout layout;
    bool has_attributes;
    Py_ssize_t header_size;
    unsigned char header[MAX_HEADER];   /* the constants, and 0 in all other fields */
    unsigned char constant[MAX_HEADER]; /* 0xFF for each byte of a constant */
    Count dimensions;
    Count nnz;
    Format index;
    Format element;
    Digits digits;
} Type;

int64_t read_count(const Count *count, const unsigned char *payload);
bool is_in_range(const Count *count, int64_t number);

/* The bytes after the header of a payload with so many dimensions, bits, or elements that are not zero. */
int64_t size_of_body(const Type *type, int64_t count);

/* Make a payload whose header is filled in; nnz counts for sparse types only. NULL with an exception if there is no
 * memory. */
PyObject *make_payload(const Type *type, int64_t dimensions, int64_t nnz, unsigned char **body);

/* Make a value of the type's class or of a subclass. It takes over the reference to the payload, also if it fails. */
PyObject *make_value_of(const Type *type, PyTypeObject *value_class, PyObject *payload);

/* Return a result as a method does: None if it is NULL without an exception, and so left to Python. */
PyObject *or_none(PyObject *result);

/* Check the arguments of a method: a class of the type's values, and an object. False with an exception. */
bool are_class_and_argument(const Type *type, PyObject *const *arguments, Py_ssize_t count);

#endif
