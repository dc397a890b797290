/* Matrices to values, and back. */

#include "holders.h"
#include "methods.h"
#include "value.h"

static PyObject *encode_matrix_row(const Type *type, PyTypeObject *value_class, const Row *row, Py_ssize_t count)
{
    unsigned char *body;
    PyObject *payload = make_payload(type, count, 0, &body);
    if (payload != NULL && !narrow_row(type->element, *row, (size_t)count, body)) {
        Py_CLEAR(payload);
    }
    return payload == NULL ? NULL : make_value_of(type, value_class, payload);
}

static PyObject *encode_matrix(const Type *type, PyTypeObject *value_class, const Py_buffer *view, Row row)
{
    PyObject *values = PyList_New(view->shape[0]);
    row.stride = view->strides[1];
    for (Py_ssize_t place = 0; values != NULL && place < view->shape[0]; place++) {
        row.start = (const char *)view->buf + place * view->strides[0];
        PyObject *value = encode_matrix_row(type, value_class, &row, view->shape[1]);
        if (value == NULL) {
            Py_CLEAR(values);
        } else {
            PyList_SET_ITEM(values, place, value);
        }
    }
    return values;
}

static PyObject *encode_array(const Type *type, PyTypeObject *value_class, PyObject *array)
{
    Py_buffer view;
    Row row;
    PyObject *values = NULL;
    if (open_matrix(array, &view, &row.dtype, &row.is_swapped)) {
        if (is_in_range(&type->dimensions, view.shape[1])) {
            values = encode_matrix(type, value_class, &view, row);
        }
        PyBuffer_Release(&view);
    }
    return values;
}

static PyObject *encode_item(const Type *type, PyTypeObject *value_class, PyObject *item, bool are_nullable)
{
    if (Py_IS_TYPE(item, value_class) || (are_nullable && item == Py_None)) {
        return Py_NewRef(item);
    }
    PyObject *payload = encode_row(type, item);
    return payload == NULL ? NULL : make_value_of(type, value_class, payload);
}

/* Encode the rows of a tuple. All have to be of one size. */
static PyObject *encode_items(const Type *type, PyTypeObject *value_class, PyObject *items, bool are_nullable)
{
    Py_ssize_t size = -1;
    PyObject *values = PyList_New(PyTuple_GET_SIZE(items));
    for (Py_ssize_t place = 0; values != NULL && place < PyTuple_GET_SIZE(items); place++) {
        PyObject *value = encode_item(type, value_class, PyTuple_GET_ITEM(items, place), are_nullable);
        if (value == NULL) {
            Py_CLEAR(values);
            break;
        }
        PyList_SET_ITEM(values, place, value);
        if (value != Py_None) {
            Py_ssize_t of_row = PyBytes_GET_SIZE(payload_of(value));
            if (size >= 0 && of_row != size) {
                Py_CLEAR(values);
            }
            size = of_row;
        }
    }
    return values;
}

static PyObject *encode_rows(const Type *type, PyTypeObject *value_class, PyObject *rows, bool are_nullable)
{
    if (!PyList_Check(rows) && !PyTuple_Check(rows)) {
        return encode_array(type, value_class, rows);
    }
    PyObject *items = PySequence_Tuple(rows); /* a row's library may run code that changes the list */
    PyObject *values = items == NULL ? NULL : encode_items(type, value_class, items, are_nullable);
    Py_XDECREF(items);
    return values;
}

PyObject *type_from_matrix(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    const Type *type = (Type *)self;
    if (count != 3) {
        PyErr_Format(PyExc_TypeError, "expected 3 arguments, got %zd", count);
        return NULL;
    }
    if (!are_class_and_argument(type, arguments, 2)) {
        return NULL;
    }
    PyObject *values = NULL;
    if (type->layout == DENSE && !type->has_attributes) {
        values = encode_rows(type, (PyTypeObject *)arguments[0], arguments[1], arguments[2] == Py_True);
    }
    return or_none(values);
}

static bool are_payloads_of(PyTypeObject *value_class, PyObject *const *values, Py_ssize_t count, Py_ssize_t size)
{
    for (Py_ssize_t place = 0; place < count; place++) {
        if (!Py_IS_TYPE(values[place], value_class) || PyBytes_GET_SIZE(payload_of(values[place])) != size) {
            return false;
        }
    }
    return true;
}

static void copy_rows(const Type *type, PyObject *const *values, const Py_buffer *view)
{
    char *target = view->buf;
    for (Py_ssize_t row = 0; row < view->shape[0]; row++, target += view->strides[0]) {
        const unsigned char *payload = (unsigned char *)PyBytes_AS_STRING(payload_of(values[row]));
        copy_numbers(type->element, payload + type->header_size, (size_t)view->shape[1], target);
    }
}

/* Copy a list of at least one item. NULL with an exception if there is no memory, and NULL without one if the items are
 * not values of the class, of the same size. */
static PyObject *copy_list(const Type *type, PyTypeObject *value_class, PyObject *list)
{
    Py_ssize_t rows = PyList_GET_SIZE(list);
    if (!Py_IS_TYPE(PyList_GET_ITEM(list, 0), value_class)) {
        return NULL;
    }
    Py_ssize_t size = PyBytes_GET_SIZE(payload_of(PyList_GET_ITEM(list, 0)));
    PyObject *matrix = make_matrix(type->element.name, rows, (size - type->header_size) / type->element.width);
    Py_buffer view;
    if (matrix == NULL || PyObject_GetBuffer(matrix, &view, PyBUF_STRIDED) < 0) {
        Py_XDECREF(matrix);
        return NULL;
    }
    /* To make the matrix may have begun a garbage collection, whose finalizers may have changed the list. */
    PyObject *const *values = PySequence_Fast_ITEMS(list);
    bool are_alike = PyList_GET_SIZE(list) == rows && are_payloads_of(value_class, values, rows, size);
    if (are_alike) {
        copy_rows(type, values, &view);
    }
    PyBuffer_Release(&view);
    if (!are_alike) {
        Py_CLEAR(matrix);
    }
    return matrix;
}

PyObject *type_to_matrix(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    const Type *type = (Type *)self;
    if (!are_class_and_argument(type, arguments, count)) {
        return NULL;
    }
    PyObject *matrix = NULL, *values = arguments[1];
    BEGIN_READING(values);
    if (type->layout == DENSE && PyList_CheckExact(values) && PyList_GET_SIZE(values) > 0) {
        matrix = copy_list(type, (PyTypeObject *)arguments[0], values);
    }
    END_READING();
    return or_none(matrix);
}
