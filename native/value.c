#include "value.h"

#include <stdbool.h>
#include <string.h>
#include <structmember.h>

typedef struct {
    PyObject_HEAD
    PyObject *payload;
} Payload;

static void payload_dealloc(PyObject *self)
{
    Py_XDECREF(((Payload *)self)->payload);
    /* The subclasses are classes of Python, whose instances the collector allocates. */
    Py_TYPE(self)->tp_free(self);
}

static bool have_the_same_bytes(PyObject *payload, PyObject *other)
{
    Py_ssize_t size = PyBytes_GET_SIZE(payload);
    return size == PyBytes_GET_SIZE(other) &&
           memcmp(PyBytes_AS_STRING(payload), PyBytes_AS_STRING(other), (size_t)size) == 0;
}

/* Values with other payloads may be equal: 0 and -0 are. Python's `_equals` knows. */
static PyObject *payload_compare(PyObject *self, PyObject *other, int operation)
{
    if (operation != Py_EQ && operation != Py_NE) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    if (Py_IS_TYPE(other, Py_TYPE(self)) && have_the_same_bytes(payload_of(self), payload_of(other))) {
        return PyBool_FromLong(operation == Py_EQ);
    }
    PyObject *equal = PyObject_CallMethod(self, "_equals", "O", other);
    if (equal == NULL || equal == Py_NotImplemented || operation == Py_EQ) {
        return equal;
    }
    int is_equal = PyObject_IsTrue(equal);
    Py_DECREF(equal);
    return is_equal < 0 ? NULL : PyBool_FromLong(!is_equal);
}

static PyMemberDef payload_members[] = {
    {"_wire", T_OBJECT_EX, offsetof(Payload, payload), READONLY, "The payload."},
    {NULL, 0, 0, 0, NULL},
};

PyTypeObject PayloadType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "asyncpg_vector._kernel.Payload",
    .tp_doc = "Holds a payload. Only wrap() makes one, of a subclass.",
    .tp_basicsize = sizeof(Payload),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_dealloc = payload_dealloc,
    .tp_members = payload_members,
    .tp_richcompare = payload_compare,
    .tp_hash = PyObject_HashNotImplemented,
};

static int has_more_than_a_payload(PyTypeObject *value_class)
{
#ifdef Py_TPFLAGS_MANAGED_DICT
    if (value_class->tp_flags & Py_TPFLAGS_MANAGED_DICT) {
        return 1;
    }
#endif
    return value_class->tp_basicsize != sizeof(Payload);
}

PyObject *make_value(PyTypeObject *value_class, PyObject *payload)
{
    PyObject *value = value_class->tp_alloc(value_class, 0);
    if (value == NULL) {
        Py_DECREF(payload);
        return NULL;
    }
    ((Payload *)value)->payload = payload;
    return value;
}

PyObject *make_lasting_value(PyTypeObject *value_class, PyObject *payload)
{
    PyObject *value = make_value(value_class, payload);
    if (value != NULL && PyObject_IS_GC(value) && !has_more_than_a_payload(value_class)) {
        PyObject_GC_UnTrack(value);
    }
    return value;
}

PyObject *payload_of(PyObject *value)
{
    return ((Payload *)value)->payload;
}

PyObject *wrap(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count)
{
    if (count != 2 || !PyType_Check(arguments[0]) || !PyBytes_CheckExact(arguments[1]) ||
        !PyType_IsSubtype((PyTypeObject *)arguments[0], &PayloadType)) {
        PyErr_SetString(PyExc_TypeError, "expected a value class and bytes");
        return NULL;
    }
    return make_value((PyTypeObject *)arguments[0], Py_NewRef(arguments[1]));
}
