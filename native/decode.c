/* Payloads to values. */

#include "holders.h"
#include "methods.h"
#include "value.h"

static bool has_constants(const Type *type, const unsigned char *payload)
{
    unsigned char difference = 0;
    for (Py_ssize_t place = 0; place < type->header_size; place++) {
        difference |= (payload[place] ^ type->header[place]) & type->constant[place];
    }
    return difference == 0;
}

/* The count that tells the size of a payload. */
static const Count *size_count(const Type *type)
{
    return type->layout == SPARSE ? &type->nnz : &type->dimensions;
}

/* Whether the decoder takes a payload. It leaves elements, and most counts, to the server. */
static bool has_right_size(const Type *type, const unsigned char *payload, Py_ssize_t size)
{
    if (size < type->header_size || !has_constants(type, payload)) {
        return false;
    }
    const Count *count = size_count(type);
    int64_t number = read_count(count, payload);
    if (type->layout == BITS && !is_in_range(count, number)) {
        return false;
    }
    return size - type->header_size == size_of_body(type, number);
}

static bool is_decoded_here(const Type *type, PyObject *payload)
{
    return PyBytes_CheckExact(payload) &&
           has_right_size(type, (unsigned char *)PyBytes_AS_STRING(payload), PyBytes_GET_SIZE(payload));
}

PyObject *type_decode(PyObject *self, PyObject *payload)
{
    const Type *type = (Type *)self;
    if (is_decoded_here(type, payload)) {
        return make_lasting_value(type->value_class, Py_NewRef(payload));
    }
    return PyObject_CallOneArg(type->decode, payload);
}

static PyObject *decode_and_call(PyObject *self, PyObject *payload, const char *method)
{
    PyObject *value = type_decode(self, payload);
    PyObject *result = value == NULL ? NULL : PyObject_CallMethod(value, method, NULL);
    Py_XDECREF(value);
    return result;
}

/* The elements of a payload of a dense type. */
static const unsigned char *find_elements(const Type *type, PyObject *payload, Py_ssize_t *count)
{
    *count = (PyBytes_GET_SIZE(payload) - type->header_size) / type->element.width;
    return (const unsigned char *)PyBytes_AS_STRING(payload) + type->header_size;
}

PyObject *type_decode_list(PyObject *self, PyObject *payload)
{
    const Type *type = (Type *)self;
    if (type->layout == DENSE && is_decoded_here(type, payload)) {
        Py_ssize_t count;
        const unsigned char *elements = find_elements(type, payload, &count);
        return unpack_list(type->element, elements, count);
    }
    return decode_and_call(self, payload, "to_list");
}

PyObject *type_decode_text(PyObject *self, PyObject *payload)
{
    const Type *type = (Type *)self;
    if (type->layout == DENSE && type->digits != NO_DIGITS && is_decoded_here(type, payload)) {
        Py_ssize_t count;
        const unsigned char *elements = find_elements(type, payload, &count);
        if (are_finite(type->element, elements, (size_t)count)) {
            return print_list(type->element, type->digits, elements, count, "[", "]");
        }
    }
    return decode_and_call(self, payload, "to_text");
}

/* Whether indices ascend from 0, each once, below the number of dimensions. */
static bool are_ascending(Format format, const unsigned char *indices, int64_t count, int64_t dimensions)
{
    double block[BLOCK], last = -1;
    for (int64_t first = 0; first < count; first += BLOCK) {
        Py_ssize_t read = next_block(count - first);
        widen(format, indices + first * format.width, (size_t)read, block);
        for (int64_t place = 0; place < read; place++) {
            if (block[place] <= last) {
                return false;
            }
            last = block[place];
        }
    }
    return last < (double)dimensions;
}

static bool has_zero(Format format, const unsigned char *elements, int64_t count)
{
    double block[BLOCK];
    for (int64_t first = 0; first < count; first += BLOCK) {
        Py_ssize_t read = next_block(count - first);
        widen(format, elements + first * format.width, (size_t)read, block);
        for (int64_t place = 0; place < read; place++) {
            if (block[place] == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool is_right_sparse(const Type *type, const unsigned char *payload)
{
    int64_t nnz = read_count(&type->nnz, payload), dimensions = read_count(&type->dimensions, payload);
    const unsigned char *indices = payload + type->header_size, *elements = indices + nnz * type->index.width;
    return is_in_range(&type->nnz, nnz) && are_ascending(type->index, indices, nnz, dimensions) &&
           are_finite(type->element, elements, (size_t)nnz) && !has_zero(type->element, elements, nnz);
}

static bool has_zero_spare_bits(const Type *type, const unsigned char *payload, Py_ssize_t size)
{
    int64_t spare = -read_count(&type->dimensions, payload) & 7;
    return spare == 0 || (payload[size - 1] & ((1 << spare) - 1)) == 0;
}

/* Whether the server takes a payload of the right size, and keeps it as it is. */
static bool is_right(const Type *type, const unsigned char *payload, Py_ssize_t size)
{
    int64_t dimensions = read_count(&type->dimensions, payload);
    if (type->has_attributes || !is_in_range(&type->dimensions, dimensions)) {
        return false;
    }
    switch (type->layout) {
    case DENSE: return are_finite(type->element, payload + type->header_size, (size_t)dimensions);
    case SPARSE: return is_right_sparse(type, payload);
    default: return has_zero_spare_bits(type, payload, size);
    }
}

PyObject *type_from_binary(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    const Type *type = (Type *)self;
    if (!are_class_and_argument(type, arguments, count)) {
        return NULL;
    }
    PyObject *payload = arguments[1];
    if (PyBytes_CheckExact(payload)) {
        const unsigned char *bytes = (unsigned char *)PyBytes_AS_STRING(payload);
        Py_ssize_t size = PyBytes_GET_SIZE(payload);
        if (has_right_size(type, bytes, size) && is_right(type, bytes, size)) {
            return make_value_of(type, (PyTypeObject *)arguments[0], Py_NewRef(payload));
        }
    }
    Py_RETURN_NONE;
}
