/* kernel.Type: a type's facts, and the encoder and decoder that use them. */

#ifndef ASYNCPG_VECTOR_TYPES_H
#define ASYNCPG_VECTOR_TYPES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyTypeObject TypeType;

#endif
