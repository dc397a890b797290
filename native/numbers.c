#include "numbers.h"

#include <string.h>

#include "digits.h"
#include "holders.h"

typedef struct {
    PyObject_HEAD
    Format format;
} FormatObject;

const char *const digits_names[DIGITS_COUNT] = {"float32", "float64", "integer"};

int find_name(const char *name, const char *const *names, int count)
{
    for (int index = 0; index < count; index++) {
        if (strcmp(name, names[index]) == 0) {
            return index;
        }
    }
    PyErr_Format(PyExc_ValueError, "expected a name that the kernel knows, got %s", name);
    return -1;
}

bool find_format(const char *name, const char *byte_order, Format *format)
{
    static const char *const byte_orders[] = {"little", "big"};
    int found = find_name(name, format_names, FORMAT_COUNT), is_big = find_name(byte_order, byte_orders, 2);
    if (found < 0 || is_big < 0) {
        return false;
    }
    *format = (Format){(FormatName)found, width_of((FormatName)found), is_big != PY_BIG_ENDIAN};
    return true;
}

bool find_digits(const char *name, Digits *digits)
{
    int found = find_name(name, digits_names, DIGITS_COUNT);
    *digits = (Digits)found;
    return found >= 0;
}

/* Objects */

static PyObject *make_number(Format format, double number)
{
    return format.name >= INT8 ? PyLong_FromLongLong((long long)number) : PyFloat_FromDouble(number);
}

static bool fill_list(PyObject *list, Py_ssize_t first, Format format, const double *numbers, Py_ssize_t count)
{
    for (Py_ssize_t place = 0; place < count; place++) {
        PyObject *number = make_number(format, numbers[place]);
        if (number == NULL) {
            return false;
        }
        PyList_SET_ITEM(list, first + place, number);
    }
    return true;
}

PyObject *unpack_list(Format format, const unsigned char *payload, Py_ssize_t count)
{
    PyObject *list = PyList_New(count);
    double block[BLOCK];
    for (Py_ssize_t first = 0; list != NULL && first < count; first += BLOCK) {
        Py_ssize_t read = next_block(count - first);
        widen(format, payload + first * format.width, (size_t)read, block);
        if (!fill_list(list, first, format, block, read)) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static bool shorten(FormatName name, double *number)
{
    switch (name) {
    case FLOAT16: return shorten_float16(number);
    case BFLOAT16: return shorten_bfloat16(number);
    case FLOAT32: return shorten_float32(number);
    default: return false;
    }
}

/* Replace numbers by the doubles that are nearest to their shortest decimals. False if Python has to do it, such as for
 * a double that is half-way between two numbers of the format, and narrows to the other one. */
static bool shorten_block(Format format, const unsigned char *payload, double *numbers, size_t count)
{
    unsigned char narrowed[BLOCK * sizeof(float)];
    for (size_t place = 0; place < count; place++) {
        if (!shorten(format.name, &numbers[place])) {
            return false;
        }
    }
    return narrow_doubles(format, numbers, count, narrowed) && memcmp(narrowed, payload, count * format.width) == 0;
}

/* As unpack_list, with numbers that print with the fewest digits; None if Python has to do it. */
static PyObject *unpack_shortest(Format format, const unsigned char *payload, Py_ssize_t count)
{
    if (!are_finite(format, payload, (size_t)count)) {
        Py_RETURN_NONE;
    }
    PyObject *list = PyList_New(count);
    double block[BLOCK];
    for (Py_ssize_t first = 0; list != NULL && first < count; first += BLOCK) {
        Py_ssize_t read = next_block(count - first);
        const unsigned char *numbers = payload + first * format.width;
        widen(format, numbers, (size_t)read, block);
        if (!shorten_block(format, numbers, block, (size_t)read)) {
            Py_DECREF(list);
            Py_RETURN_NONE;
        }
        if (!fill_list(list, first, format, block, read)) {
            Py_CLEAR(list);
        }
    }
    return list;
}

/* Arrays */

static PyObject *unpack_array(Format format, const unsigned char *payload, Py_ssize_t count)
{
    Py_buffer view;
    PyObject *array = make_row(format.name, count);
    if (array == NULL) {
        return NULL;
    }
    if (PyObject_GetBuffer(array, &view, PyBUF_CONTIG) < 0) {
        Py_DECREF(array);
        return NULL;
    }
    copy_numbers(format, payload, (size_t)count, view.buf);
    PyBuffer_Release(&view);
    return array;
}

/* Text */

static Py_ssize_t characters_of(Digits digits)
{
    static const Py_ssize_t characters[DIGITS_COUNT] = {FLOAT32_CHARACTERS, FLOAT64_CHARACTERS, INTEGER_CHARACTERS};
    return characters[digits];
}

static char *print_number(Digits digits, double number, char *text)
{
    switch (digits) {
    case FLOAT32_DIGITS: return print_float32((float)number, text);
    case FLOAT64_DIGITS: return print_float64(number, text);
    default: return print_integer((int64_t)number, text);
    }
}

static char *print_numbers(Format format, Digits digits, const unsigned char *payload, Py_ssize_t count, char *text)
{
    double block[BLOCK];
    for (Py_ssize_t first = 0; first < count; first += BLOCK) {
        Py_ssize_t read = next_block(count - first);
        widen(format, payload + first * format.width, (size_t)read, block);
        for (Py_ssize_t place = 0; place < read; place++) {
            text = print_number(digits, block[place], text);
            *text++ = ',';
        }
    }
    return count ? text - 1 : text;
}

PyObject *print_list(Format format, Digits digits, const unsigned char *payload, Py_ssize_t count, const char *opening,
                     const char *closing)
{
    size_t before = strlen(opening), after = strlen(closing);
    char *text = PyMem_Malloc((size_t)(count * (characters_of(digits) + 1) + 1) + before + after);
    if (text == NULL) {
        return PyErr_NoMemory();
    }
    memcpy(text, opening, before);
    char *end = print_numbers(format, digits, payload, count, text + before);
    memcpy(end, closing, after);
    PyObject *printed = PyUnicode_DecodeLatin1(text, end + after - text, NULL);
    PyMem_Free(text);
    return printed;
}

/* What the server skips (pgvector, vector_isspace). */
static const char *skip_space(const char *text, const char *end)
{
    while (text < end && (*text == ' ' || (*text >= '\t' && *text <= '\r'))) {
        text++;
    }
    return text;
}

static const char *read_number(const char *text, const char *end, Digits digits, double *number)
{
    int64_t integer;
    switch (digits) {
    case FLOAT32_DIGITS: return read_float32(text, end, number);
    case FLOAT64_DIGITS: return read_float64(text, end, number);
    default:
        text = read_integer(text, end, &integer);
        *number = (double)integer;
        return text;
    }
}

bool pack_text(const char *text, const char *end, Digits digits, Format format, size_t count, unsigned char *payload)
{
    double block[BLOCK];
    for (size_t index = 0; index < count; index++) {
        text = read_number(skip_space(text, end), end, digits, &block[index % BLOCK]);
        if (text == NULL) {
            return false;
        }
        text = skip_space(text, end);
        bool is_last = index + 1 == count;
        if (is_last ? text != end : text == end || *text++ != ',') {
            return false;
        }
        if (is_last || (index + 1) % BLOCK == 0) {
            size_t first = index - index % BLOCK;
            if (!narrow_doubles(format, block, index + 1 - first, payload + first * format.width)) {
                return false;
            }
        }
    }
    return true;
}

/* The class */

/* Read the arguments of a method: a payload, and where its numbers begin. */
static const unsigned char *read_payload(Format format, PyObject *payload, PyObject *offset, Py_ssize_t *count)
{
    if (!PyBytes_CheckExact(payload)) {
        PyErr_SetString(PyExc_TypeError, "expected a payload in bytes");
        return NULL;
    }
    Py_ssize_t first = PyLong_AsSsize_t(offset), size = PyBytes_GET_SIZE(payload);
    if (first == -1 && PyErr_Occurred()) {
        return NULL;
    }
    if (first < 0 || first > size || (size - first) % format.width) {
        PyErr_SetString(PyExc_ValueError, "expected the offset of whole numbers");
        return NULL;
    }
    *count = (size - first) / format.width;
    return (const unsigned char *)PyBytes_AS_STRING(payload) + first;
}

static bool have_count(Py_ssize_t count, Py_ssize_t expected)
{
    if (count != expected) {
        PyErr_Format(PyExc_TypeError, "expected %zd arguments, got %zd", expected, count);
    }
    return count == expected;
}

/* Unpack all numbers of a payload from an offset on, in one of several ways. */
static PyObject *unpack(PyObject *self, PyObject *const *arguments, Py_ssize_t given,
                        PyObject *(*unpack_all)(Format, const unsigned char *, Py_ssize_t))
{
    Format format = ((FormatObject *)self)->format;
    Py_ssize_t count;
    if (!have_count(given, 2)) {
        return NULL;
    }
    const unsigned char *numbers = read_payload(format, arguments[0], arguments[1], &count);
    return numbers == NULL ? NULL : unpack_all(format, numbers, count);
}

static PyObject *format_unpack_list(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    return unpack(self, arguments, given, unpack_list);
}

static PyObject *format_unpack_shortest(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    return unpack(self, arguments, given, unpack_shortest);
}

static PyObject *format_unpack_array(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    return unpack(self, arguments, given, unpack_array);
}

static PyObject *format_print(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    Format format = ((FormatObject *)self)->format;
    Py_ssize_t count;
    Digits digits;
    if (!have_count(given, 3)) {
        return NULL;
    }
    const char *name = PyUnicode_AsUTF8(arguments[0]);
    if (name == NULL || !find_digits(name, &digits)) {
        return NULL;
    }
    const unsigned char *numbers = read_payload(format, arguments[1], arguments[2], &count);
    if (numbers == NULL) {
        return NULL;
    }
    if (!are_finite(format, numbers, (size_t)count)) {
        Py_RETURN_NONE; /* nobody keeps NaN out of a type that the server does not check */
    }
    return print_list(format, digits, numbers, count, "", "");
}

static PyObject *format_new(PyTypeObject *class, PyObject *arguments, PyObject *Py_UNUSED(keywords))
{
    const char *name, *byte_order;
    Format format;
    if (!PyArg_ParseTuple(arguments, "ss", &name, &byte_order) || !find_format(name, byte_order, &format)) {
        return NULL;
    }
    PyObject *self = class->tp_alloc(class, 0);
    if (self != NULL) {
        ((FormatObject *)self)->format = format;
    }
    return self;
}

static PyMethodDef format_methods[] = {
    {"unpack_list", METHOD(format_unpack_list), METH_FASTCALL, "Unpack all numbers of a payload from an offset on."},
    {"unpack_shortest", METHOD(format_unpack_shortest), METH_FASTCALL,
     "Unpack all numbers from an offset on, as doubles with the fewest digits; None if Python has to do it."},
    {"unpack_array", METHOD(format_unpack_array), METH_FASTCALL, "Unpack all numbers from an offset into an ndarray."},
    {"print", METHOD(format_print), METH_FASTCALL, "Print all numbers from an offset on; None if one is not finite."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject FormatType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "asyncpg_vector._kernel.Format",
    .tp_doc = "A number format in a byte order.",
    .tp_basicsize = sizeof(FormatObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = format_new,
    .tp_methods = format_methods,
};
