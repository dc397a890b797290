#include "formats.h"

#include <float.h>
#include <string.h>

/* Every loop is written once, in a function marked INLINE. Its caller passes constants for the format and the byte
 * order, so that the compiler drops the branches that do not apply. COMPILE_LOOPS inlines all of them in functions for
 * one processor: the baseline, or one with AVX2.
 *
 * No loop stops early: each collects its flaws with OR, so that compilers can use vector instructions. */

#if defined(__GNUC__)
#define INLINE inline __attribute__((always_inline))
#elif defined(_MSC_VER)
#define INLINE __forceinline
#else
#define INLINE inline
#endif

/* The sums below have to be rounded to a double; the x87 unit's are longer. */
#if FLT_EVAL_METHOD < 0 || FLT_EVAL_METHOD == 2
#error "expected double arithmetic in double precision; on 32-bit x86, that needs -msse2 -mfpmath=sse"
#endif

const char *const format_names[FORMAT_COUNT] = {
    [FLOAT16] = "float16", [FLOAT32] = "float32", [FLOAT64] = "float64", [BFLOAT16] = "bfloat16", [INT8] = "int8",
    [UINT8] = "uint8",     [INT16] = "int16",     [UINT16] = "uint16",   [INT32] = "int32",       [UINT32] = "uint32",
};

/* The dtype of a format's numbers in a payload. */
static const Dtype format_dtypes[FORMAT_COUNT] = {
    [FLOAT16] = F16, [FLOAT32] = F32, [FLOAT64] = F64, [BFLOAT16] = BF16, [INT8] = I8,
    [UINT8] = U8,    [INT16] = I16,   [UINT16] = U16,  [INT32] = I32,     [UINT32] = U32,
};

/* Bytes of a number. */
static const uint8_t dtype_widths[DTYPE_COUNT] = {
    [BOOL] = 1, [I8] = 1,  [U8] = 1,  [I16] = 2, [U16] = 2, [I32] = 4,  [U32] = 4,
    [I64] = 8,  [U64] = 8, [F16] = 2, [F32] = 4, [F64] = 8, [BF16] = 2,
};

/* ---- Bits in memory, aligned or not ---- */

static INLINE uint16_t swap16(uint16_t bits)
{
    return (uint16_t)(bits << 8 | bits >> 8);
}

static INLINE uint32_t swap32(uint32_t bits)
{
    return bits << 24 | (bits & 0xFF00) << 8 | (bits >> 8 & 0xFF00) | bits >> 24;
}

static INLINE uint64_t swap64(uint64_t bits)
{
    return (uint64_t)swap32((uint32_t)bits) << 32 | swap32((uint32_t)(bits >> 32));
}

static INLINE uint8_t load8(const void *place)
{
    return *(const uint8_t *)place;
}

static INLINE uint16_t load16(const void *place, bool is_swapped)
{
    uint16_t bits;
    memcpy(&bits, place, sizeof bits);
    return is_swapped ? swap16(bits) : bits;
}

static INLINE uint32_t load32(const void *place, bool is_swapped)
{
    uint32_t bits;
    memcpy(&bits, place, sizeof bits);
    return is_swapped ? swap32(bits) : bits;
}

static INLINE uint64_t load64(const void *place, bool is_swapped)
{
    uint64_t bits;
    memcpy(&bits, place, sizeof bits);
    return is_swapped ? swap64(bits) : bits;
}

static INLINE void store16(void *place, uint16_t bits, bool is_swapped)
{
    bits = is_swapped ? swap16(bits) : bits;
    memcpy(place, &bits, sizeof bits);
}

static INLINE void store32(void *place, uint32_t bits, bool is_swapped)
{
    bits = is_swapped ? swap32(bits) : bits;
    memcpy(place, &bits, sizeof bits);
}

static INLINE void store64(void *place, uint64_t bits, bool is_swapped)
{
    bits = is_swapped ? swap64(bits) : bits;
    memcpy(place, &bits, sizeof bits);
}

/* ---- Floats and their bits ---- */

static INLINE uint32_t float_bits(float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static INLINE float float_of_bits(uint32_t bits)
{
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static INLINE uint64_t double_bits(double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static INLINE double double_of_bits(uint64_t bits)
{
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* The bits of infinity: those of the exponent. Infinity and NaN have them all. */
#define INFINITE_FLOAT16 0x7C00
#define INFINITE_BFLOAT16 0x7F80
#define INFINITE_FLOAT32 0x7F800000
#define INFINITE_FLOAT64 0x7FF0000000000000

/* ---- One number from format to format ---- */

/* Round to a float16, half to even; NaN and numbers that do not fit become infinity.
 *
 * The sum of a number and 2**13 times its power of two has 11 bits left for the number, as a float16 has, and the
 * processor rounds it to these. Subnormal float16s share the precision, hence the power, of the least normal one.
 * The leading bit of a normal number's significand adds 1 to the exponent, which is therefore 1 too small before.
 * F. Giesen rounds subnormal numbers so: float_to_half_fast3 in gist.github.com/rygorous/2156668. */
static INLINE uint16_t float16_of_float(float number)
{
    const int32_t most = (127 + 16) << 23, least_power = (127 - 14) << 23;
    const uint32_t bits = float_bits(number);
    int32_t magnitude = (int32_t)(bits & INT32_MAX);
    magnitude = magnitude < most ? magnitude : most;
    int32_t power = magnitude & 0xFF << 23;
    power = power > least_power ? power : least_power;
    const float sum = float_of_bits((uint32_t)magnitude) + float_of_bits((uint32_t)power) * 0x1p13f;
    const uint32_t exponent = (uint32_t)(power - least_power) >> 23;
    return (uint16_t)((bits >> 16 & 0x8000) | ((exponent << 10) + (float_bits(sum) & 0xFFF)));
}

/* Round to a float32 of 21 bits, to odd: a double between two of these becomes the one whose last bit is 1. Rounded
 * again to a float16, it gives the float16 of the double, since 21 bits are at least two more than 11:
 * S. Boldo, G. Melquiond, "When double rounding is odd" (2005).
 * Doubles whose float16 is 0 or infinite are clamped, so that they fit a float32. */
static INLINE float odd_float(double number)
{
    const int32_t least = (1023 - 26) << 20, most = (1023 + 16) << 20;
    const uint64_t bits = double_bits(number);
    const uint64_t inexact = (bits & UINT32_MAX) + UINT32_MAX; /* bit 32 is set unless the lower half is 0 */
    const uint32_t upper = (uint32_t)((bits | inexact) >> 32);
    int32_t magnitude = (int32_t)(upper & INT32_MAX);
    magnitude = magnitude > least ? magnitude : least;
    magnitude = magnitude < most ? magnitude : most;
    return float_of_bits((upper & 0x80000000) | (uint32_t)(magnitude - ((1023 - 127) << 20)) << 3);
}

/* Round to a bfloat16, half to even; NaN and numbers that do not fit become infinity. */
static INLINE uint16_t bfloat16_of_float(float number)
{
    const uint32_t bits = float_bits(number);
    int32_t magnitude = (int32_t)(bits & INT32_MAX);
    magnitude = magnitude < 0x7F800000 ? magnitude : 0x7F800000;
    const uint32_t rounded = (uint32_t)magnitude + 0x7FFF + (bits >> 16 & 1);
    return (uint16_t)((bits >> 16 & 0x8000) | rounded >> 16);
}

/* A subnormal number gets the exponent, hence the leading bit, of the least normal one; then that bit's value is
 * subtracted: F. Giesen, half_to_float_fast4 in gist.github.com/rygorous/2144712. Nothing is rounded.
 * Masks replace branches, after each of which GCC would compute the rest twice. */
static INLINE float float_of_float16(uint16_t half)
{
    const uint32_t rebias = (uint32_t)(127 - 15) << 23;
    const int32_t magnitude = (half & 0x7FFF) << 13;
    const uint32_t is_subnormal = 0 - (uint32_t)(magnitude < 1 << 23);
    const uint32_t is_infinite = 0 - (uint32_t)(magnitude >= 0x1F << 23); /* or NaN */
    const uint32_t least_exponent = is_subnormal & 1 << 23;
    const uint32_t leading_bit = is_subnormal & (uint32_t)(127 - 14) << 23;
    const uint32_t bits = (uint32_t)magnitude + rebias + (is_infinite & rebias) + least_exponent;
    const float number = float_of_bits(bits) - float_of_bits(leading_bit);
    return float_of_bits((uint32_t)(half & 0x8000) << 16 | float_bits(number));
}

static INLINE float float_of_bfloat16(uint16_t upper)
{
    return float_of_bits((uint32_t)upper << 16);
}

/* ---- Rows to doubles ---- */

static INLINE float read_float(const char *place)
{
    return float_of_bits(load32(place, false));
}

static INLINE double read_double(const char *place)
{
    return double_of_bits(load64(place, false));
}

static INLINE double read_number(Dtype dtype, const char *place, bool is_swapped)
{
    switch (dtype) {
    case BOOL: return load8(place) != 0;
    case I8: return (int8_t)load8(place);
    case U8: return load8(place);
    case I16: return (int16_t)load16(place, is_swapped);
    case U16: return load16(place, is_swapped);
    case I32: return (int32_t)load32(place, is_swapped);
    case U32: return load32(place, is_swapped);
    case I64: return (double)(int64_t)load64(place, is_swapped);
    case U64: return (double)load64(place, is_swapped);
    case F16: return float_of_float16(load16(place, is_swapped));
    case F32: return float_of_bits(load32(place, is_swapped));
    case F64: return double_of_bits(load64(place, is_swapped));
    case BF16: return float_of_bfloat16(load16(place, is_swapped));
    default: return 0;
    }
}

static INLINE void read_numbers(Dtype dtype, bool is_swapped, const char *start, ptrdiff_t stride, size_t count,
                                double *restrict numbers)
{
    for (size_t i = 0; i < count; i++) {
        numbers[i] = read_number(dtype, start + (ptrdiff_t)i * stride, is_swapped);
    }
}

/* A constant stride makes a faster loop. */
static INLINE void read_dtype(Dtype dtype, Row row, size_t count, double *restrict numbers)
{
    const ptrdiff_t width = dtype_widths[dtype];
    if (row.stride != width) {
        read_numbers(dtype, row.is_swapped, row.start, row.stride, count, numbers);
    } else if (row.is_swapped) {
        read_numbers(dtype, true, row.start, width, count, numbers);
    } else {
        read_numbers(dtype, false, row.start, width, count, numbers);
    }
}

static INLINE void read_row_inline(Row row, size_t count, double *restrict numbers)
{
    switch (row.dtype) {
    case BOOL: read_dtype(BOOL, row, count, numbers); break;
    case I8: read_dtype(I8, row, count, numbers); break;
    case U8: read_dtype(U8, row, count, numbers); break;
    case I16: read_dtype(I16, row, count, numbers); break;
    case U16: read_dtype(U16, row, count, numbers); break;
    case I32: read_dtype(I32, row, count, numbers); break;
    case U32: read_dtype(U32, row, count, numbers); break;
    case I64: read_dtype(I64, row, count, numbers); break;
    case U64: read_dtype(U64, row, count, numbers); break;
    case F16: read_dtype(F16, row, count, numbers); break;
    case F32: read_dtype(F32, row, count, numbers); break;
    case F64: read_dtype(F64, row, count, numbers); break;
    case BF16: read_dtype(BF16, row, count, numbers); break;
    default: break;
    }
}

/* ---- Payloads tested for infinities and NaN: infinity is given in the byte order of the numbers ---- */

static INLINE bool are_finite16(uint16_t infinity, const char *numbers, size_t count)
{
    uint16_t flaws = 0;
    for (size_t i = 0; i < count; i++) {
        flaws |= (load16(numbers + 2 * i, false) & infinity) == infinity;
    }
    return !flaws;
}

static INLINE bool are_finite32(uint32_t infinity, const char *numbers, size_t count)
{
    uint32_t flaws = 0;
    for (size_t i = 0; i < count; i++) {
        flaws |= (load32(numbers + 4 * i, false) & infinity) == infinity;
    }
    return !flaws;
}

static INLINE bool are_finite64(uint64_t infinity, const char *numbers, size_t count)
{
    uint64_t flaws = 0;
    for (size_t i = 0; i < count; i++) {
        flaws |= (load64(numbers + 8 * i, false) & infinity) == infinity;
    }
    return !flaws;
}

static INLINE bool are_finite_inline(Format format, const char *numbers, size_t count)
{
    const bool is_swapped = format.is_swapped;
    switch (format.name) {
    case FLOAT16: return are_finite16(is_swapped ? swap16(INFINITE_FLOAT16) : INFINITE_FLOAT16, numbers, count);
    case BFLOAT16: return are_finite16(is_swapped ? swap16(INFINITE_BFLOAT16) : INFINITE_BFLOAT16, numbers, count);
    case FLOAT32: return are_finite32(is_swapped ? swap32(INFINITE_FLOAT32) : INFINITE_FLOAT32, numbers, count);
    case FLOAT64: return are_finite64(is_swapped ? swap64(INFINITE_FLOAT64) : INFINITE_FLOAT64, numbers, count);
    default: return true;
    }
}

/* ---- Payloads copied, with their bytes swapped, or as float32 ---- */

static INLINE void swap_of_width(size_t width, const char *source, size_t count, char *restrict target)
{
    for (size_t i = 0; i < count; i++) {
        switch (width) {
        case 2: store16(target + 2 * i, load16(source + 2 * i, true), false); break;
        case 4: store32(target + 4 * i, load32(source + 4 * i, true), false); break;
        default: store64(target + 8 * i, load64(source + 8 * i, true), false); break;
        }
    }
}

static INLINE void swap_inline(size_t width, const char *source, size_t count, char *restrict target)
{
    switch (width) {
    case 2: swap_of_width(2, source, count, target); break;
    case 4: swap_of_width(4, source, count, target); break;
    default: swap_of_width(8, source, count, target); break;
    }
}

/* The upper halves of float32 become float32. */
static INLINE void extend_ordered(bool is_swapped, const char *uppers, size_t count, char *restrict floats)
{
    for (size_t i = 0; i < count; i++) {
        store32(floats + 4 * i, (uint32_t)load16(uppers + 2 * i, is_swapped) << 16, false);
    }
}

static INLINE void extend_inline(bool is_swapped, const char *uppers, size_t count, char *restrict floats)
{
    if (is_swapped) {
        extend_ordered(true, uppers, count, floats);
    } else {
        extend_ordered(false, uppers, count, floats);
    }
}

/* ---- Doubles and floats, side by side, to payloads ---- */

static INLINE bool narrow_to_16(FormatName name, Dtype dtype, bool is_swapped, const char *numbers, size_t count,
                                char *restrict payload)
{
    const uint16_t infinity = name == BFLOAT16 ? INFINITE_BFLOAT16 : INFINITE_FLOAT16;
    uint16_t flaws = 0;
    for (size_t i = 0; i < count; i++) {
        const char *place = numbers + dtype_widths[dtype] * i;
        uint16_t bits;
        if (name == BFLOAT16) {
            bits = bfloat16_of_float(dtype == F32 ? read_float(place) : (float)read_double(place));
        } else {
            bits = float16_of_float(dtype == F32 ? read_float(place) : odd_float(read_double(place)));
        }
        flaws |= (bits & infinity) == infinity;
        store16(payload + 2 * i, bits, is_swapped);
    }
    return !flaws;
}

static INLINE bool narrow_to_float32(bool is_swapped, const char *doubles, size_t count, char *restrict payload)
{
    uint32_t flaws = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t bits = float_bits((float)read_double(doubles + 8 * i));
        flaws |= (bits & INFINITE_FLOAT32) == INFINITE_FLOAT32;
        store32(payload + 4 * i, bits, is_swapped);
    }
    return !flaws;
}

/* The sum of an integer and 1.5 * 2**52 has no bits for a fraction; its last bits are the integer's, in two's
 * complement. */
static INLINE bool narrow_to_integers(size_t width, bool is_swapped, double least, double most, const char *doubles,
                                      size_t count, char *restrict payload)
{
    uint64_t flaws = 0;
    for (size_t i = 0; i < count; i++) {
        const double number = read_double(doubles + 8 * i);
        const uint64_t sum = double_bits(number + 0x1.8p52);
        const bool is_whole = double_of_bits(sum) - 0x1.8p52 == number;
        flaws |= !((number >= least) & (number <= most) & is_whole);
        switch (width) {
        case 1: payload[i] = (char)sum; break;
        case 2: store16(payload + 2 * i, (uint16_t)sum, is_swapped); break;
        default: store32(payload + 4 * i, (uint32_t)sum, is_swapped); break;
        }
    }
    return !flaws;
}

static INLINE bool narrow_ordered(FormatName name, bool is_swapped, const char *doubles, size_t count,
                                  char *restrict payload)
{
    switch (name) {
    case FLOAT16: return narrow_to_16(FLOAT16, F64, is_swapped, doubles, count, payload);
    case BFLOAT16: return narrow_to_16(BFLOAT16, F64, is_swapped, doubles, count, payload);
    case FLOAT32: return narrow_to_float32(is_swapped, doubles, count, payload);
    case INT8: return narrow_to_integers(1, is_swapped, INT8_MIN, INT8_MAX, doubles, count, payload);
    case UINT8: return narrow_to_integers(1, is_swapped, 0, UINT8_MAX, doubles, count, payload);
    case INT16: return narrow_to_integers(2, is_swapped, INT16_MIN, INT16_MAX, doubles, count, payload);
    case UINT16: return narrow_to_integers(2, is_swapped, 0, UINT16_MAX, doubles, count, payload);
    case INT32: return narrow_to_integers(4, is_swapped, INT32_MIN, INT32_MAX, doubles, count, payload);
    case UINT32: return narrow_to_integers(4, is_swapped, 0, UINT32_MAX, doubles, count, payload);
    default: return false;
    }
}

/* Float32 become float16 or bfloat16; for the other formats, the way through doubles is fast enough. */
static INLINE bool narrow_floats(FormatName name, bool is_swapped, const char *floats, size_t count,
                                 char *restrict payload)
{
    return name == FLOAT16 ? narrow_to_16(FLOAT16, F32, is_swapped, floats, count, payload)
                           : narrow_to_16(BFLOAT16, F32, is_swapped, floats, count, payload);
}

static INLINE bool narrow_doubles_inline(Format format, const char *doubles, size_t count, char *restrict payload)
{
    return format.is_swapped ? narrow_ordered(format.name, true, doubles, count, payload)
                             : narrow_ordered(format.name, false, doubles, count, payload);
}

static INLINE bool narrow_floats_inline(Format format, const char *floats, size_t count, char *restrict payload)
{
    return format.is_swapped ? narrow_floats(format.name, true, floats, count, payload)
                             : narrow_floats(format.name, false, floats, count, payload);
}

/* ---- Flags ---- */

/* Pack eight flags, the first in the lowest byte, into a byte, the first in the highest bit. The factor is the sum of
 * all 2**(63 - 9 * i), which moves flag i from bit 8 * i to bit 63 - i; other products end below bit 56 or overflow,
 * and no two meet in a bit. */
static INLINE unsigned char gather(uint64_t flags)
{
    return (unsigned char)(flags * 0x8040201008040201 >> 56);
}

/* Compilers make this one load. */
static INLINE uint64_t load_little(const unsigned char *bytes)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) {
        number |= (uint64_t)bytes[i] << 8 * i;
    }
    return number;
}

static INLINE bool pack_flags_inline(const unsigned char *flags, size_t count, unsigned char *restrict bits)
{
    uint64_t all = 0;
    for (size_t i = 0; i < count / 8; i++) {
        const uint64_t eight = load_little(flags + 8 * i);
        all |= eight;
        bits[i] = gather(eight);
    }
    if (count % 8) {
        unsigned char last[8] = {0};
        memcpy(last, flags + (count - count % 8), count % 8);
        all |= load_little(last);
        bits[count / 8] = gather(load_little(last));
    }
    return !(all & ~(uint64_t)0x0101010101010101);
}

/* ---- The loops per processor ---- */

typedef struct {
    bool (*narrow_doubles)(Format format, const void *doubles, size_t count, void *payload);
    bool (*narrow_floats)(Format format, const void *floats, size_t count, void *payload);
    void (*read_row)(Row row, size_t count, double *numbers);
    bool (*are_finite)(Format format, const void *payload, size_t count);
    void (*swap)(size_t width, const void *source, size_t count, void *target);
    void (*extend)(bool is_swapped, const void *uppers, size_t count, void *floats);
    bool (*pack_flags)(const unsigned char *flags, size_t count, unsigned char *bits);
} Loops;

#define COMPILE_LOOPS(processor, target)                                                                           \
    target static bool narrow_doubles_##processor(Format format, const void *doubles, size_t count, void *payload) \
    {                                                                                                              \
        return narrow_doubles_inline(format, doubles, count, payload);                                             \
    }                                                                                                              \
    target static bool narrow_floats_##processor(Format format, const void *floats, size_t count, void *payload)   \
    {                                                                                                              \
        return narrow_floats_inline(format, floats, count, payload);                                               \
    }                                                                                                              \
    target static void read_row_##processor(Row row, size_t count, double *numbers)                                \
    {                                                                                                              \
        read_row_inline(row, count, numbers);                                                                      \
    }                                                                                                              \
    target static bool are_finite_##processor(Format format, const void *payload, size_t count)                    \
    {                                                                                                              \
        return are_finite_inline(format, payload, count);                                                          \
    }                                                                                                              \
    target static void swap_##processor(size_t width, const void *source, size_t count, void *swapped)             \
    {                                                                                                              \
        swap_inline(width, source, count, swapped);                                                                \
    }                                                                                                              \
    target static void extend_##processor(bool is_swapped, const void *uppers, size_t count, void *floats)         \
    {                                                                                                              \
        extend_inline(is_swapped, uppers, count, floats);                                                          \
    }                                                                                                              \
    target static bool pack_flags_##processor(const unsigned char *flags, size_t count, unsigned char *bits)       \
    {                                                                                                              \
        return pack_flags_inline(flags, count, bits);                                                              \
    }                                                                                                              \
    static const Loops processor##_loops = {                                                                       \
        narrow_doubles_##processor, narrow_floats_##processor, read_row_##processor,   are_finite_##processor,     \
        swap_##processor,           extend_##processor,        pack_flags_##processor,                             \
    };

COMPILE_LOOPS(baseline, )

static const Loops *loops = &baseline_loops;

#if defined(__GNUC__) && defined(__x86_64__)

COMPILE_LOOPS(avx2, __attribute__((target("avx2"))))

void choose_loops(void)
{
    if (__builtin_cpu_supports("avx2")) {
        loops = &avx2_loops;
    }
}

#else

void choose_loops(void)
{
}

#endif

/* ---- The functions of the header ---- */

uint8_t width_of(FormatName name)
{
    return dtype_widths[format_dtypes[name]];
}

/* Copy numbers from this machine's byte order to the format's, or back. */
static void copy(Format format, const void *source, size_t count, void *target)
{
    if (format.is_swapped && format.width > 1) {
        loops->swap(format.width, source, count, target);
    } else if (count) { /* an empty array may be a null pointer, which memcpy must not get */
        memcpy(target, source, count * format.width);
    }
}

/* Copy numbers of the format's own dtype, if they are finite. */
static bool copy_finite(Format format, const void *numbers, size_t count, void *payload)
{
    const Format native = {format.name, format.width, false};
    if (!loops->are_finite(native, numbers, count)) {
        return false;
    }
    copy(format, numbers, count, payload);
    return true;
}

enum { BLOCK_SIZE = 128 };

/* Narrow numbers that have no loop of their own: as doubles, a block at a time. */
static bool narrow_blocks(Format format, Row row, size_t count, unsigned char *payload)
{
    double block[BLOCK_SIZE];
    for (size_t done = 0; done < count; done += BLOCK_SIZE) {
        const size_t size = count - done < BLOCK_SIZE ? count - done : BLOCK_SIZE;
        const Row rest = {row.start + (ptrdiff_t)done * row.stride, row.stride, row.dtype, row.is_swapped};
        loops->read_row(rest, size, block);
        if (!narrow_doubles(format, block, size, payload + done * format.width)) {
            return false;
        }
    }
    return true;
}

bool narrow_row(Format format, Row row, size_t count, unsigned char *payload)
{
    if (row.is_swapped || row.stride != dtype_widths[row.dtype]) {
        return narrow_blocks(format, row, count, payload);
    }
    if (row.dtype == format_dtypes[format.name]) {
        return copy_finite(format, row.start, count, payload);
    }
    if (row.dtype == F64) {
        return loops->narrow_doubles(format, row.start, count, payload);
    }
    if (row.dtype == F32 && (format.name == FLOAT16 || format.name == BFLOAT16)) {
        return loops->narrow_floats(format, row.start, count, payload);
    }
    return narrow_blocks(format, row, count, payload);
}

bool narrow_doubles(Format format, const double *numbers, size_t count, unsigned char *payload)
{
    const Row row = {(const char *)numbers, sizeof *numbers, F64, false};
    return narrow_row(format, row, count, payload);
}

void widen(Format format, const unsigned char *payload, size_t count, double *numbers)
{
    const Row row = {(const char *)payload, format.width, format_dtypes[format.name], format.is_swapped};
    loops->read_row(row, count, numbers);
}

void copy_numbers(Format format, const unsigned char *payload, size_t count, void *numbers)
{
    if (format.name == BFLOAT16) {
        loops->extend(format.is_swapped, payload, count, numbers);
    } else {
        copy(format, payload, count, numbers);
    }
}

bool are_finite(Format format, const unsigned char *payload, size_t count)
{
    return loops->are_finite(format, payload, count);
}

bool pack_flags(const unsigned char *flags, size_t count, unsigned char *bits)
{
    return loops->pack_flags(flags, count, bits);
}
