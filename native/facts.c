#include "facts.h"

#include <string.h>

#include "value.h"

/* How far a byte of a count is from its lowest bit. */
static int shift_of(const Format *format, int place)
{
    bool is_little_endian = format->is_swapped == PY_BIG_ENDIAN;
    return 8 * (is_little_endian ? place : format->width - 1 - place);
}

/* A negative count becomes a large one, which no payload has. */
int64_t read_count(const Count *count, const unsigned char *payload)
{
    int64_t number = 0;
    for (int place = 0; place < count->format.width; place++) {
        number |= (int64_t)payload[count->offset + place] << shift_of(&count->format, place);
    }
    return number;
}

bool is_in_range(const Count *count, int64_t number)
{
    return count->least <= number && number <= count->most;
}

static void write_count(const Count *count, int64_t number, unsigned char *payload)
{
    for (int place = 0; place < count->format.width; place++) {
        payload[count->offset + place] = (unsigned char)(number >> shift_of(&count->format, place));
    }
}

int64_t size_of_body(const Type *type, int64_t count)
{
    switch (type->layout) {
    case DENSE: return count * type->element.width;
    case SPARSE: return count * (type->index.width + type->element.width);
    default: return (count + 7) / 8;
    }
}

PyObject *make_payload(const Type *type, int64_t dimensions, int64_t nnz, unsigned char **body)
{
    int64_t size = size_of_body(type, type->layout == SPARSE ? nnz : dimensions);
    PyObject *payload = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(type->header_size + size));
    if (payload == NULL) {
        return NULL;
    }
    unsigned char *bytes = (unsigned char *)PyBytes_AS_STRING(payload);
    memcpy(bytes, type->header, (size_t)type->header_size);
    write_count(&type->dimensions, dimensions, bytes);
    if (type->layout == SPARSE) {
        write_count(&type->nnz, nnz, bytes);
    }
    *body = bytes + type->header_size;
    return payload;
}

PyObject *make_value_of(const Type *type, PyTypeObject *value_class, PyObject *payload)
{
    return value_class == type->value_class ? make_lasting_value(value_class, payload)
                                            : make_value(value_class, payload);
}

PyObject *or_none(PyObject *result)
{
    return result != NULL || PyErr_Occurred() ? result : Py_NewRef(Py_None);
}

bool are_class_and_argument(const Type *type, PyObject *const *arguments, Py_ssize_t count)
{
    if (count == 2 && PyType_Check(arguments[0]) && PyType_IsSubtype((PyTypeObject *)arguments[0], type->value_class)) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "expected %s or a subclass, and an argument", type->value_class->tp_name);
    return false;
}
