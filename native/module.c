/* asyncpg_vector._kernel: number formats and holders, fast.
 *
 * The kernel does the good path. For anything else it calls the Python function with the original object, so that
 * results, errors and messages are the same with it and without it. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "base64.h"
#include "facts.h"
#include "formats.h"
#include "holders.h"
#include "numbers.h"
#include "types.h"
#include "value.h"

static PyObject *module_meet_numpy(PyObject *Py_UNUSED(module), PyObject *numpy)
{
    if (meet_numpy(numpy) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* Return the bits of some bytes as bools: count of them, the most significant of each byte first. */
static PyObject *unpack_bits(PyObject *Py_UNUSED(module), PyObject *arguments)
{
    PyObject *payload;
    Py_ssize_t offset, count;
    if (!PyArg_ParseTuple(arguments, "Snn", &payload, &offset, &count)) {
        return NULL;
    }
    if (offset < 0 || count < 0 || PyBytes_GET_SIZE(payload) - offset < count / 8 + (count % 8 != 0)) {
        PyErr_SetString(PyExc_ValueError, "expected as many bits as the payload has");
        return NULL;
    }
    const unsigned char *bits = (unsigned char *)PyBytes_AS_STRING(payload) + offset;
    PyObject *list = PyList_New(count);
    for (Py_ssize_t place = 0; list != NULL && place < count; place++) {
        int flag = bits[place / 8] >> (7 - place % 8) & 1;
        PyList_SET_ITEM(list, place, Py_NewRef(flag ? Py_True : Py_False));
    }
    return list;
}

static PyMethodDef functions[] = {
    {"meet_numpy", module_meet_numpy, METH_O, "Let the kernel know NumPy, once the program has imported it."},
    {"unpack_bits", unpack_bits, METH_VARARGS, "Return bits of a payload, from an offset on, as bools."},
    {"wrap", METHOD(wrap), METH_FASTCALL, "Make a value of a class and a payload."},
    {NULL, NULL, 0, NULL},
};

/* Add a tuple of names to the module. */
static int add_names(PyObject *module, const char *name, const char *const *listed, Py_ssize_t count)
{
    PyObject *names = PyTuple_New(count);
    for (Py_ssize_t place = 0; names != NULL && place < count; place++) {
        PyObject *each = PyUnicode_FromString(listed[place]);
        if (each == NULL) {
            Py_CLEAR(names);
        } else {
            PyTuple_SET_ITEM(names, place, each);
        }
    }
    int status = names == NULL ? -1 : PyModule_AddObjectRef(module, name, names);
    Py_XDECREF(names);
    return status;
}

static int fill_module(PyObject *module)
{
    choose_loops();
    fill_base64_tables();
    bool is_filled = meet_array() == 0 && PyModule_AddType(module, &PayloadType) == 0 &&
                     PyModule_AddType(module, &FormatType) == 0 && PyModule_AddType(module, &TypeType) == 0 &&
                     add_names(module, "FORMATS", format_names, FORMAT_COUNT) == 0 &&
                     add_names(module, "DIGITS", digits_names, DIGITS_COUNT) == 0 &&
                     PyModule_AddIntConstant(module, "MAX_HEADER", MAX_HEADER) == 0;
    return is_filled ? 0 : -1;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, fill_module},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "asyncpg_vector._kernel",
    .m_doc = "Number formats and holders, fast.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__kernel(void)
{
    return PyModuleDef_Init(&definition);
}
