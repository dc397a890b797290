/* The number formats of the spec language, and the loops that narrow numbers to them and read them back.
 *
 * asyncpg_vector/runtime/formats.py is the judge: it says what each format holds and how numbers are rounded.
 * Nothing here knows Python, a type or a header. */

#ifndef ASYNCPG_VECTOR_FORMATS_H
#define ASYNCPG_VECTOR_FORMATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The order of FORMATS in formats.py; format_names has the names. */
typedef enum {
    FLOAT16,
    FLOAT32,
    FLOAT64,
    BFLOAT16,
    INT8,
    UINT8,
    INT16,
    UINT16,
    INT32,
    UINT32,
    FORMAT_COUNT
} FormatName;

extern const char *const format_names[FORMAT_COUNT];

/* Bytes of a number. */
uint8_t width_of(FormatName name);

/* A format in a byte order. */
typedef struct {
    FormatName name;
    uint8_t width;   /* bytes of a number */
    bool is_swapped; /* whether the payload's byte order is not this machine's */
} Format;

/* Numbers as NumPy, array.array and buffers hold them, in memory. Only payloads hold BF16, the bits of a bfloat16. */
typedef enum { BOOL, I8, U8, I16, U16, I32, U32, I64, U64, F16, F32, F64, BF16, DTYPE_COUNT } Dtype;

/* A row of numbers in memory, at any distance from each other (in bytes, perhaps negative), aligned or not. */
typedef struct {
    const char *start;
    ptrdiff_t stride;
    Dtype dtype;
    bool is_swapped;
} Row;

/* Narrow count doubles. False if one is not finite, does not fit, or is not whole where an integer is needed; what
 * has been written then is undefined. */
bool narrow_doubles(Format format, const double *numbers, size_t count, unsigned char *payload);

/* Narrow count numbers of a row; as for narrow_doubles. A float row in the format's own precision keeps every bit. */
bool narrow_row(Format format, Row row, size_t count, unsigned char *payload);

/* Read count numbers of a payload as doubles, exactly. */
void widen(Format format, const unsigned char *payload, size_t count, double *numbers);

/* Copy count numbers of a payload into an array in this machine's byte order: of float32 for bfloat16, and of the
 * format's own numbers for all others. */
void copy_numbers(Format format, const unsigned char *payload, size_t count, void *numbers);

/* Tell whether all count numbers of a payload are finite. */
bool are_finite(Format format, const unsigned char *payload, size_t count);

/* Pack count flags, each a byte that is 0 or 1, eight in a byte, the most significant first; spare bits are 0. False
 * if a flag is another number. */
bool pack_flags(const unsigned char *flags, size_t count, unsigned char *bits);

/* Choose the fastest loops for this processor; call it once, before all others. */
void choose_loops(void);

#endif
