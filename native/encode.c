/* Parameters to payloads.
 *
 * A function that returns a payload returns NULL with an exception if there is no memory, and NULL without one if
 * Python has to encode the parameter. */

#include "base64.h"
#include "holders.h"
#include "methods.h"
#include "value.h"

/* Read bools, and the ints 0 and 1. */
static bool read_flags(PyObject *const *objects, Py_ssize_t count, unsigned char *flags)
{
    for (Py_ssize_t place = 0; place < count; place++) {
        PyObject *flag = objects[place];
        int64_t number;
        if (flag == Py_True || flag == Py_False) {
            flags[place] = flag == Py_True;
        } else if (read_int64(flag, &number) && (number == 0 || number == 1)) {
            flags[place] = (unsigned char)number;
        } else {
            return false;
        }
    }
    return true;
}

static bool pack_flag_objects(PyObject *const *objects, Py_ssize_t count, unsigned char *bits)
{
    unsigned char block[BLOCK];
    for (Py_ssize_t first = 0; first < count; first += BLOCK) {
        Py_ssize_t read = next_block(count - first);
        if (!read_flags(objects + first, read, block)) {
            return false;
        }
        pack_flags(block, (size_t)read, bits + first / 8);
    }
    return true;
}

static bool is_row_of_bytes(const Row *row)
{
    return row->stride == 1 && (row->dtype == BOOL || row->dtype == U8 || row->dtype == I8);
}

static bool pack_bits(const Numbers *numbers, unsigned char *bits)
{
    if (numbers->are_objects) {
        return pack_flag_objects(numbers->objects, numbers->count, bits);
    }
    return is_row_of_bytes(&numbers->row) &&
           pack_flags((const unsigned char *)numbers->row.start, (size_t)numbers->count, bits);
}

static bool pack_body(const Type *type, const Numbers *numbers, unsigned char *body)
{
    return type->layout == BITS ? pack_bits(numbers, body) : pack_numbers(numbers, type->element, body);
}

static PyObject *encode_numbers(const Type *type, const Numbers *numbers)
{
    unsigned char *body;
    if (!is_in_range(&type->dimensions, numbers->count)) {
        return NULL;
    }
    PyObject *payload = make_payload(type, numbers->count, 0, &body);
    if (payload != NULL && !pack_body(type, numbers, body)) {
        Py_CLEAR(payload);
    }
    return payload;
}

static PyObject *encode_numbers_of(const Type *type, PyObject *value)
{
    PyObject *payload = NULL;
    BEGIN_READING(value);
    Numbers numbers;
    if (open_numbers(value, &numbers)) {
        payload = encode_numbers(type, &numbers);
        close_numbers(&numbers);
    }
    END_READING();
    return payload;
}

/* Whether an object may be an array or a tensor of another library, or a column. */
static bool may_be_foreign(PyObject *value)
{
    return !PyList_Check(value) && !PyTuple_Check(value) && !PyUnicode_Check(value) && !PyBytes_Check(value) &&
           !PyFloat_Check(value) && !PyLong_Check(value) && value != Py_None &&
           !PyObject_TypeCheck(value, &PayloadType);
}

PyObject *encode_row(const Type *type, PyObject *value)
{
    PyObject *payload = encode_numbers_of(type, value);
    if (payload != NULL || PyErr_Occurred() || type->layout != DENSE || !may_be_foreign(value)) {
        return payload;
    }
    PyObject *array = PyObject_CallOneArg(type->open_foreign, value);
    payload = array == NULL || !is_ndarray(array) ? NULL : encode_numbers_of(type, array);
    Py_XDECREF(array);
    return payload;
}

PyObject *type_from_numbers(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    const Type *type = (Type *)self;
    if (!are_class_and_argument(type, arguments, count)) {
        return NULL;
    }
    PyObject *payload = type->layout == DENSE && !type->has_attributes ? encode_row(type, arguments[1]) : NULL;
    return or_none(payload == NULL ? NULL : make_value_of(type, (PyTypeObject *)arguments[0], payload));
}

static size_t count_commas(const char *text, const char *end)
{
    size_t count = 0;
    for (; text < end; text++) {
        count += *text == ',';
    }
    return count;
}

/* Encode a text form [1,2,3] without white space around it. */
static PyObject *encode_text(const Type *type, PyObject *text)
{
    if (type->digits == NO_DIGITS || !PyUnicode_IS_COMPACT_ASCII(text)) {
        return NULL;
    }
    const char *start = PyUnicode_DATA(text), *end = start + PyUnicode_GET_LENGTH(text);
    if (end - start < 2 || *start != '[' || end[-1] != ']') {
        return NULL;
    }
    start++, end--;
    size_t count = count_commas(start, end) + 1;
    unsigned char *body;
    if (!is_in_range(&type->dimensions, (int64_t)count)) {
        return NULL;
    }
    PyObject *payload = make_payload(type, (int64_t)count, 0, &body);
    if (payload != NULL && !pack_text(start, end, type->digits, type->element, count, body)) {
        Py_CLEAR(payload);
    }
    return payload;
}

static PyObject *encode_dense(const Type *type, PyObject *value)
{
    if (type->has_attributes) {
        return NULL;
    }
    return PyUnicode_CheckExact(value) ? encode_text(type, value) : encode_row(type, value);
}

/* Any parameter */

static PyObject *encode_here(const Type *type, PyObject *value)
{
    switch (type->layout) {
    case DENSE: return encode_dense(type, value);
    case SPARSE: return encode_sparse(type, value);
    default: return encode_row(type, value);
    }
}

PyObject *type_encode(PyObject *self, PyObject *value)
{
    const Type *type = (Type *)self;
    if (Py_IS_TYPE(value, type->value_class)) {
        return Py_NewRef(payload_of(value));
    }
    PyObject *payload = encode_here(type, value);
    if (payload != NULL || PyErr_Occurred()) {
        return payload;
    }
    return PyObject_CallOneArg(type->encode, value);
}

/* Base64 */

static PyObject *encode_float32(const Type *type, PyObject *bytes)
{
    Numbers numbers = {
        .count = PyBytes_GET_SIZE(bytes) / 4,
        .row = {PyBytes_AS_STRING(bytes), 4, F32, PY_BIG_ENDIAN}, /* base64 of floats is little-endian */
    };
    return PyBytes_GET_SIZE(bytes) % 4 ? NULL : encode_numbers(type, &numbers);
}

PyObject *type_from_float_base64(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    const Type *type = (Type *)self;
    if (!are_class_and_argument(type, arguments, count)) {
        return NULL;
    }
    PyObject *payload = NULL;
    if (type->layout == DENSE && !type->has_attributes) {
        PyObject *bytes = decode_base64(arguments[1]);
        payload = bytes == NULL ? NULL : encode_float32(type, bytes);
        Py_XDECREF(bytes);
    }
    return or_none(payload == NULL ? NULL : make_value_of(type, (PyTypeObject *)arguments[0], payload));
}
