#include "base64.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* For each place in a group of four, the bits of every character in the 24 bits of the group. */
static uint32_t bits_of[4][256];

/* Set where a character is not of the alphabet. */
#define FAULT (1u << 24)

void fill_base64_tables(void)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int place = 0; place < 4; place++) {
        for (int character = 0; character < 256; character++) {
            bits_of[place][character] = FAULT;
        }
        for (uint32_t sextet = 0; sextet < 64; sextet++) {
            bits_of[place][(unsigned char)alphabet[sextet]] = sextet << (18 - 6 * place);
        }
    }
}

static uint32_t join_group(const unsigned char *text)
{
    return bits_of[0][text[0]] | bits_of[1][text[1]] | bits_of[2][text[2]] | bits_of[3][text[3]];
}

/* Decode groups of four characters, none of them padding. False if one is not of the alphabet. */
static bool decode_groups(const unsigned char *text, Py_ssize_t groups, unsigned char *bytes)
{
    uint32_t faults = 0;
    for (Py_ssize_t group = 0; group < groups; group++, text += 4, bytes += 3) {
        uint32_t bits = join_group(text);
        faults |= bits;
        bytes[0] = (unsigned char)(bits >> 16);
        bytes[1] = (unsigned char)(bits >> 8);
        bytes[2] = (unsigned char)bits;
    }
    return faults < FAULT;
}

/* Decode a last group with padding. The bits that it has to spare are 0. */
static bool decode_last(const unsigned char *text, Py_ssize_t padding, unsigned char *bytes)
{
    unsigned char group[4] = {'A', 'A', 'A', 'A'}, decoded[3]; /* A is six bits of 0 */
    memcpy(group, text, (size_t)(4 - padding));
    if (!decode_groups(group, 1, decoded)) {
        return false;
    }
    memcpy(bytes, decoded, (size_t)(3 - padding));
    return decoded[3 - padding] == 0;
}

static Py_ssize_t count_padding(const unsigned char *text, Py_ssize_t length)
{
    if (text[length - 1] != '=') {
        return 0;
    }
    return text[length - 2] == '=' ? 2 : 1;
}

static PyObject *decode(const unsigned char *text, Py_ssize_t length)
{
    if (length == 0 || length % 4) {
        return NULL;
    }
    Py_ssize_t padding = count_padding(text, length), groups = length / 4 - (padding > 0);
    PyObject *decoded = PyBytes_FromStringAndSize(NULL, length / 4 * 3 - padding);
    if (decoded == NULL) {
        return NULL;
    }
    unsigned char *bytes = (unsigned char *)PyBytes_AS_STRING(decoded);
    if (!decode_groups(text, groups, bytes) ||
        (padding && !decode_last(text + 4 * groups, padding, bytes + 3 * groups))) {
        Py_CLEAR(decoded);
    }
    return decoded;
}

PyObject *decode_base64(PyObject *text)
{
    if (PyUnicode_CheckExact(text) && PyUnicode_IS_COMPACT_ASCII(text)) {
        return decode(PyUnicode_DATA(text), PyUnicode_GET_LENGTH(text));
    }
    if (PyBytes_CheckExact(text)) {
        return decode((unsigned char *)PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text));
    }
    return NULL;
}
