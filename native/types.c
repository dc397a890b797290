#include "types.h"

#include <string.h>

#include "methods.h"
#include "value.h"

static bool set_layout(Type *type, const char *name)
{
    static const char *const names[] = {"dense", "sparse", "bits"};
    int found = find_name(name, names, 3);
    type->layout = (Layout)found;
    return found >= 0;
}

/* Read one field of the header: its format, and the name of a count or of an attribute, or a constant. */
static bool add_field(Type *type, PyObject *field, const char *byte_order)
{
    const char *format_name;
    PyObject *meaning;
    Format format;
    if (!PyArg_ParseTuple(field, "sO", &format_name, &meaning) || !find_format(format_name, byte_order, &format)) {
        return false;
    }
    Py_ssize_t offset = type->header_size;
    if (offset + format.width > MAX_HEADER) {
        PyErr_Format(PyExc_ValueError, "expected a header of at most %d bytes", MAX_HEADER);
        return false;
    }
    type->header_size += format.width;
    if (PyLong_Check(meaning)) {
        double constant = PyLong_AsDouble(meaning);
        memset(type->constant + offset, 0xFF, format.width);
        return narrow_doubles(format, &constant, 1, type->header + offset);
    }
    const char *name = PyUnicode_AsUTF8(meaning);
    if (name == NULL) {
        return false;
    }
    if (strcmp(name, "dimensions") == 0 || strcmp(name, "length") == 0) {
        type->dimensions.offset = offset;
        type->dimensions.format = format;
    } else if (strcmp(name, "nnz") == 0) {
        type->nnz.offset = offset;
        type->nnz.format = format;
    } else {
        type->has_attributes = true;
    }
    return true;
}

static bool set_header(Type *type, PyObject *fields, const char *byte_order)
{
    for (Py_ssize_t place = 0; place < PyTuple_GET_SIZE(fields); place++) {
        if (!add_field(type, PyTuple_GET_ITEM(fields, place), byte_order)) {
            return false;
        }
    }
    return true;
}

/* Read the arguments. The formats are None for layouts and types that have none. */
static bool set_facts(Type *type, PyObject *arguments)
{
    const char *layout, *byte_order, *index, *element, *digits;
    PyObject *value_class, *encode, *decode, *open_foreign, *entries, *fields;
    long long most_dimensions, most_nnz;
    if (!PyArg_ParseTuple(arguments, "O!OOOO!ssO!LLzzz", &PyType_Type, &value_class, &encode, &decode, &open_foreign,
                          &PyType_Type, &entries, &layout, &byte_order, &PyTuple_Type, &fields, &most_dimensions,
                          &most_nnz, &index, &element, &digits)) {
        return false;
    }
    type->value_class = (PyTypeObject *)Py_NewRef(value_class);
    type->entries = (PyTypeObject *)Py_NewRef(entries);
    type->encode = Py_NewRef(encode);
    type->decode = Py_NewRef(decode);
    type->open_foreign = Py_NewRef(open_foreign);
    type->digits = NO_DIGITS;
    type->dimensions.most = most_dimensions;
    type->nnz.most = most_nnz;
    if (!set_layout(type, layout) || !set_header(type, fields, byte_order)) {
        return false;
    }
    type->dimensions.least = type->layout != BITS;
    return (index == NULL || find_format(index, byte_order, &type->index)) &&
           (element == NULL || find_format(element, byte_order, &type->element)) &&
           (digits == NULL || find_digits(digits, &type->digits));
}

static int type_traverse(PyObject *self, visitproc visit, void *arg)
{
    const Type *type = (Type *)self;
    Py_VISIT(type->value_class);
    Py_VISIT(type->encode);
    Py_VISIT(type->decode);
    Py_VISIT(type->open_foreign);
    Py_VISIT(type->entries);
    return 0;
}

static int type_clear(PyObject *self)
{
    Type *type = (Type *)self;
    Py_CLEAR(type->value_class);
    Py_CLEAR(type->encode);
    Py_CLEAR(type->decode);
    Py_CLEAR(type->open_foreign);
    Py_CLEAR(type->entries);
    return 0;
}

static void type_dealloc(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    type_clear(self);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *type_new(PyTypeObject *class, PyObject *arguments, PyObject *Py_UNUSED(keywords))
{
    PyObject *self = class->tp_alloc(class, 0);
    if (self == NULL || !set_facts((Type *)self, arguments)) {
        Py_XDECREF(self);
        return NULL;
    }
    Type *type = (Type *)self;
    if (!PyType_IsSubtype(type->value_class, &PayloadType)) {
        PyErr_SetString(PyExc_TypeError, "expected a value class");
        Py_DECREF(self);
        return NULL;
    }
    return self;
}

static PyMethodDef type_methods[] = {
    {"encode", type_encode, METH_O, "Return the payload of a parameter."},
    {"decode", type_decode, METH_O, "Wrap the payload of a fetched value."},
    {"decode_list", type_decode_list, METH_O, "Return the list of a fetched value."},
    {"decode_text", type_decode_text, METH_O, "Return the text form of a fetched value."},
    {"from_binary", METHOD(type_from_binary), METH_FASTCALL,
     "Check a payload and wrap it in a class; return None for any that Python has to read."},
    {"from_float_base64", METHOD(type_from_float_base64), METH_FASTCALL,
     "Make a value of a class from base64 of float32; return None for a text that Python has to read."},
    {"from_numbers", METHOD(type_from_numbers), METH_FASTCALL,
     "Make a value of a class from a row of numbers; return None for one that Python has to read."},
    {"from_matrix", METHOD(type_from_matrix), METH_FASTCALL,
     "Make values of a class, one of each row, and None of None if that is a null row; return None for a matrix that "
     "Python has to read."},
    {"to_matrix", METHOD(type_to_matrix), METH_FASTCALL,
     "Return an ndarray of values of a class, a row for each; return None for others."},
    {NULL, NULL, 0, NULL},
};

PyTypeObject TypeType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "asyncpg_vector._kernel.Type",
    .tp_doc = "The facts of a type, as its generated module has them.",
    .tp_basicsize = sizeof(Type),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .tp_new = type_new,
    .tp_dealloc = type_dealloc,
    .tp_traverse = type_traverse,
    .tp_clear = type_clear,
    .tp_methods = type_methods,
};
