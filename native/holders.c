#include "holders.h"

#include <string.h>

#define SCALARS 12

/* NumPy's objects that are used here. The kernel is built without NumPy, and knows its arrays as buffers. */
typedef struct {
    PyTypeObject *arrays[2];
    PyTypeObject *double_scalar;    /* a subclass of float, of the same layout */
    PyTypeObject *scalars[SCALARS]; /* classes of other real numbers */
    PyTypeObject *float_scalar;     /* float32 if its number is where read_float_scalar() looks, or else NULL */
    PyObject *empty;
    PyObject *dtypes[FORMAT_COUNT]; /* of the arrays that a format's numbers are copied to */
} NumPy;

static const char *const scalar_names[SCALARS] = {
    "float32", "float16", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool_", "longlong",
};

static const char *const dtype_names[FORMAT_COUNT] = {
    [FLOAT16] = "float16", [FLOAT32] = "float32", [FLOAT64] = "float64", [BFLOAT16] = "float32", [INT8] = "int8",
    [UINT8] = "uint8",     [INT16] = "int16",     [UINT16] = "uint16",   [INT32] = "int32",      [UINT32] = "uint32",
};

/* array.array, which has no C interface. */
static PyTypeObject *array_class;

/* NULL until the program has imported NumPy. It is never freed: NumPy cannot be unloaded. */
static void *known_numpy;

static NumPy *get_numpy(void)
{
#ifdef Py_GIL_DISABLED
    return _Py_atomic_load_ptr_acquire(&known_numpy);
#else
    return known_numpy;
#endif
}

static void publish_numpy(NumPy *numpy)
{
#ifdef Py_GIL_DISABLED
    _Py_atomic_store_ptr_release(&known_numpy, numpy);
#else
    known_numpy = numpy;
#endif
}

static PyTypeObject *get_class(PyObject *module, const char *name)
{
    PyObject *found = PyObject_GetAttrString(module, name);
    if (found != NULL && !PyType_Check(found)) {
        PyErr_Format(PyExc_TypeError, "expected a class by the name of %s", name);
        Py_CLEAR(found);
    }
    return (PyTypeObject *)found;
}

static bool find_numpys_objects(PyObject *module, NumPy *numpy)
{
    if (!(numpy->arrays[0] = get_class(module, "ndarray")) || !(numpy->arrays[1] = get_class(module, "memmap")) ||
        !(numpy->double_scalar = get_class(module, "float64")) ||
        !(numpy->empty = PyObject_GetAttrString(module, "empty"))) {
        return false;
    }
    for (int index = 0; index < SCALARS; index++) {
        if (!(numpy->scalars[index] = get_class(module, scalar_names[index]))) {
            return false;
        }
    }
    for (int format = 0; format < FORMAT_COUNT; format++) {
        if (!(numpy->dtypes[format] = PyObject_CallMethod(module, "dtype", "s", dtype_names[format]))) {
            return false;
        }
    }
    /* The value of a subclass of float is read where float has it. */
    return PyType_IsSubtype(numpy->double_scalar, &PyFloat_Type);
}

static float read_float_scalar(PyObject *number)
{
    float value;
    memcpy(&value, (const char *)number + sizeof(PyObject), sizeof value);
    return value;
}

/* NumPy's headers have the layout of its scalars. The kernel is built without them, and looks. */
static bool find_float_scalar(NumPy *numpy)
{
    PyTypeObject *class = numpy->scalars[0];
    PyObject *number = PyObject_CallFunction((PyObject *)class, "d", 1.5);
    if (number != NULL && class->tp_basicsize >= (Py_ssize_t)(sizeof(PyObject) + sizeof(float)) &&
        read_float_scalar(number) == 1.5F) {
        numpy->float_scalar = class;
    }
    Py_XDECREF(number);
    return number != NULL;
}

static void forget_numpy(NumPy *numpy)
{
    for (int index = 0; index < 2; index++) {
        Py_XDECREF(numpy->arrays[index]);
    }
    Py_XDECREF(numpy->double_scalar);
    Py_XDECREF(numpy->empty);
    for (int index = 0; index < SCALARS; index++) {
        Py_XDECREF(numpy->scalars[index]);
    }
    for (int format = 0; format < FORMAT_COUNT; format++) {
        Py_XDECREF(numpy->dtypes[format]);
    }
    PyMem_Free(numpy);
}

int meet_array(void)
{
    PyObject *module = PyImport_ImportModule("array");
    if (module == NULL) {
        return -1;
    }
    array_class = get_class(module, "array");
    Py_DECREF(module);
    return array_class == NULL ? -1 : 0;
}

int meet_numpy(PyObject *module)
{
    if (get_numpy() != NULL) {
        return 0;
    }
    NumPy *numpy = PyMem_Calloc(1, sizeof(NumPy));
    if (numpy == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (!find_numpys_objects(module, numpy) || !find_float_scalar(numpy)) {
        forget_numpy(numpy);
        return PyErr_Occurred() ? -1 : 0;
    }
    publish_numpy(numpy);
    return 0;
}

bool is_ndarray(PyObject *value)
{
    const NumPy *numpy = get_numpy();
    return numpy != NULL && (Py_IS_TYPE(value, numpy->arrays[0]) || Py_IS_TYPE(value, numpy->arrays[1]));
}

static PyObject *make_array(FormatName format, PyObject *shape)
{
    NumPy *numpy = get_numpy();
    if (numpy == NULL) {
        PyErr_SetString(PyExc_ImportError, "expected NumPy to be imported");
        return NULL;
    }
    PyObject *arguments[] = {shape, numpy->dtypes[format]};
    return PyObject_Vectorcall(numpy->empty, arguments, 2, NULL);
}

PyObject *make_row(FormatName format, Py_ssize_t count)
{
    PyObject *shape = PyLong_FromSsize_t(count);
    PyObject *array = shape == NULL ? NULL : make_array(format, shape);
    Py_XDECREF(shape);
    return array;
}

PyObject *make_matrix(FormatName format, Py_ssize_t rows, Py_ssize_t columns)
{
    PyObject *shape = Py_BuildValue("nn", rows, columns);
    PyObject *array = shape == NULL ? NULL : make_array(format, shape);
    Py_XDECREF(shape);
    return array;
}

/* Reading one object. */

static bool is_numpy_scalar(const NumPy *numpy, PyObject *number)
{
    for (int index = 0; index < SCALARS; index++) {
        if (Py_IS_TYPE(number, numpy->scalars[index])) {
            return true;
        }
    }
    return false;
}

static bool read_integer_as_double(PyObject *number, double *value)
{
    *value = PyLong_AsDouble(number);
    if (*value == -1.0 && PyErr_Occurred()) {
        PyErr_Clear(); /* Python's message names the number and its place */
        return false;
    }
    return true;
}

static bool read_scalar(PyObject *number, double *value)
{
    const NumPy *numpy = get_numpy();
    if (numpy == NULL) {
        return false;
    }
    if (Py_IS_TYPE(number, numpy->double_scalar)) {
        *value = PyFloat_AS_DOUBLE(number);
        return true;
    }
    if (Py_IS_TYPE(number, numpy->float_scalar)) {
        *value = (double)read_float_scalar(number);
        return true;
    }
    if (!is_numpy_scalar(numpy, number)) {
        return false;
    }
    PyObject *converted = Py_TYPE(number)->tp_as_number->nb_float(number);
    if (converted == NULL) {
        PyErr_Clear();
        return false;
    }
    *value = PyFloat_AS_DOUBLE(converted);
    Py_DECREF(converted);
    return true;
}

static bool read_double(PyObject *number, double *value)
{
    if (PyFloat_CheckExact(number)) {
        *value = PyFloat_AS_DOUBLE(number);
        return true;
    }
    if (PyLong_CheckExact(number) || PyBool_Check(number)) {
        return read_integer_as_double(number, value);
    }
    return read_scalar(number, value);
}

bool read_int64(PyObject *number, int64_t *integer)
{
    if (!PyLong_CheckExact(number)) {
        return false;
    }
    int overflow;
    *integer = PyLong_AsLongLongAndOverflow(number, &overflow);
    return overflow == 0;
}

/* Opening holders. */

static bool is_swapped_order(char order)
{
#if PY_BIG_ENDIAN
    return order == '<';
#else
    return order == '>' || order == '!';
#endif
}

static bool find_dtype(char letter, Py_ssize_t size, Dtype *dtype)
{
    static const struct {
        const char *letters;
        Py_ssize_t size;
        Dtype dtype;
    } known[] = {
        {"?", 1, BOOL}, {"b", 1, I8},   {"B", 1, U8},   {"h", 2, I16}, {"H", 2, U16}, {"il", 4, I32},
        {"IL", 4, U32}, {"lq", 8, I64}, {"LQ", 8, U64}, {"e", 2, F16}, {"f", 4, F32}, {"d", 8, F64},
    };
    for (size_t index = 0; index < sizeof known / sizeof known[0]; index++) {
        if (known[index].size == size && strchr(known[index].letters, letter) != NULL) {
            *dtype = known[index].dtype;
            return true;
        }
    }
    return false;
}

/* Read the format of a buffer, in the notation of `struct`. */
static bool read_format(const Py_buffer *view, Dtype *dtype, bool *is_swapped)
{
    const char *format = view->format;
    if (format == NULL || format[0] == '\0') {
        return false;
    }
    char order = '@';
    if (strchr("@=<>!", format[0]) != NULL) {
        order = *format++;
    }
    if (format[0] == '\0' || format[1] != '\0' || !find_dtype(format[0], view->itemsize, dtype)) {
        return false;
    }
    *is_swapped = is_swapped_order(order);
    return true;
}

static bool get_buffer(PyObject *value, Py_buffer *view, int flags)
{
    if (PyObject_GetBuffer(value, view, flags) < 0) {
        PyErr_Clear(); /* such as that a memoryview is released */
        return false;
    }
    return true;
}

static bool is_buffer_class(PyObject *value)
{
    return is_ndarray(value) || PyMemoryView_Check(value) || Py_IS_TYPE(value, array_class);
}

/* A memoryview of bytes may be a payload, which Python refuses. */
static bool may_be_a_payload(PyObject *value, const Py_buffer *view)
{
    return PyMemoryView_Check(value) && view->itemsize == 1;
}

static bool open_buffer(PyObject *value, Numbers *numbers)
{
    if (!is_buffer_class(value) || !get_buffer(value, &numbers->view, PyBUF_RECORDS_RO)) {
        return false;
    }
    const Py_buffer *view = &numbers->view;
    Row *row = &numbers->row;
    if (view->ndim != 1 || may_be_a_payload(value, view) || !read_format(view, &row->dtype, &row->is_swapped)) {
        PyBuffer_Release(&numbers->view);
        return false;
    }
    row->start = view->buf;
    row->stride = view->strides[0];
    numbers->count = view->shape[0];
    numbers->are_objects = false;
    return true;
}

bool open_numbers(PyObject *value, Numbers *numbers)
{
    if (!PyList_CheckExact(value) && !PyTuple_CheckExact(value)) {
        return open_buffer(value, numbers);
    }
    numbers->count = Py_SIZE(value);
    numbers->are_objects = true;
    numbers->objects = PySequence_Fast_ITEMS(value);
    return true;
}

void close_numbers(Numbers *numbers)
{
    if (!numbers->are_objects) {
        PyBuffer_Release(&numbers->view);
    }
}

bool open_matrix(PyObject *value, Py_buffer *view, Dtype *dtype, bool *is_swapped)
{
    if (!is_ndarray(value) || !get_buffer(value, view, PyBUF_RECORDS_RO)) {
        return false;
    }
    if (view->ndim != 2 || !read_format(view, dtype, is_swapped)) {
        PyBuffer_Release(view);
        return false;
    }
    return true;
}

/* Reading all numbers. */

bool read_doubles(const Numbers *numbers, Py_ssize_t first, Py_ssize_t count, double *doubles)
{
    if (!numbers->are_objects) {
        Row row = numbers->row;
        row.start += first * row.stride;
        return narrow_row((Format){FLOAT64, sizeof(double), false}, row, (size_t)count, (unsigned char *)doubles);
    }
    PyObject *const *objects = numbers->objects + first;
    for (Py_ssize_t index = 0; index < count; index++) {
        if (!read_double(objects[index], &doubles[index])) {
            return false;
        }
    }
    return true;
}

bool pack_numbers(const Numbers *numbers, Format format, unsigned char *payload)
{
    if (!numbers->are_objects) {
        return narrow_row(format, numbers->row, (size_t)numbers->count, payload);
    }
    double block[BLOCK];
    for (Py_ssize_t first = 0; first < numbers->count; first += BLOCK) {
        Py_ssize_t count = next_block(numbers->count - first);
        if (!read_doubles(numbers, first, count, block) ||
            !narrow_doubles(format, block, (size_t)count, payload + first * format.width)) {
            return false;
        }
    }
    return true;
}
