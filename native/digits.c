/* Both directions rest on one table, powers.h, and on one multiplication, of 64 by 128 bits.
 *
 * Printing is Schubfach (Raffaele Giulietti, "The Schubfach way to render doubles", in the form of Alexander Bolz,
 * github.com/abolz/Drachennest), without the bounds of the interval, which PostgreSQL never prints (src/common/f2s.c
 * and d2s.c: acceptBounds is false). Reading is Daniel Lemire's ("Number parsing at a gigabyte per second"), and leaves
 * to Python the numbers that 128 bits do not settle. */

#include "digits.h"

#include <string.h>

#if defined(_MSC_VER) && (defined(_M_X64) || defined(_M_ARM64))
#include <intrin.h>
#endif

typedef struct {
    uint64_t high;
    uint64_t low;
} Bits128;

#include "powers.h"

/* digits * 10^exponent. */
typedef struct {
    uint64_t digits;
    int exponent;
} Decimal;

/* A format of IEEE 754, and how the server prints it. */
typedef struct {
    int fraction_bits;     /* of a significand, without the hidden bit */
    int smallest_exponent; /* e of a normal number 1.xxx * 2^e */
    int largest_exponent;
    int most_digits;
    int largest_plain; /* the largest power of ten that is printed without an exponent */
} Format;

static const Format float16 = {10, -14, 15, 5, 5};
static const Format bfloat16 = {7, -126, 127, 4, 5};
static const Format float32 = {23, -126, 127, 9, 5};
static const Format float64 = {52, -1022, 1023, 17, 14};

static const uint64_t ten_to[] = {
    1u,
    10u,
    100u,
    1000u,
    10000u,
    100000u,
    1000000u,
    10000000u,
    100000000u,
    1000000000u,
    10000000000u,
    100000000000u,
    1000000000000u,
    10000000000000u,
    100000000000000u,
    1000000000000000u,
    10000000000000000u,
    100000000000000000u,
    1000000000000000000u,
    10000000000000000000u,
};

/* Arithmetic */

static inline Bits128 multiply(uint64_t left, uint64_t right)
{
#if defined(__SIZEOF_INT128__)
    __extension__ typedef unsigned __int128 Product;
    Product product = (Product)left * right;
    return (Bits128){(uint64_t)(product >> 64), (uint64_t)product};
#elif defined(_MSC_VER) && (defined(_M_X64) || defined(_M_ARM64))
    return (Bits128){__umulh(left, right), left * right};
#else
    uint64_t left_high = left >> 32, left_low = left & 0xffffffff;
    uint64_t right_high = right >> 32, right_low = right & 0xffffffff;
    uint64_t middle = left_high * right_low + (left_low * right_low >> 32);
    uint64_t other_middle = left_low * right_high + (middle & 0xffffffff);
    return (Bits128){left_high * right_high + (middle >> 32) + (other_middle >> 32), left * right};
#endif
}

/* Return the upper 128 of the 192 bits of a product. */
static inline Bits128 multiply_power(uint64_t factor, Bits128 power)
{
    uint64_t carried = multiply(factor, power.low).high;
    Bits128 product = multiply(factor, power.high);
    product.low += carried;
    product.high += product.low < carried;
    return product;
}

static inline int count_leading_zeros(uint64_t number)
{
#if defined(__GNUC__)
    return __builtin_clzll(number);
#else
    int zeros = 0;
    for (int step = 32; step > 0; step /= 2) {
        if (number >> (64 - step) == 0) {
            number <<= step;
            zeros += step;
        }
    }
    return zeros;
#endif
}

/* The shifts of negative numbers here round down, with every compiler that is known. The constants are Giulietti's, and
 * right for all exponents that a double has. */

/* floor(log2(10^exponent)) */
static inline int log2_of_power(int exponent)
{
    return (exponent * 1741647) >> 19;
}

/* floor(log10(2^exponent)), or floor(log10(3/4 * 2^exponent)) */
static inline int log10_of_width(int exponent, bool is_three_quarters)
{
    return (exponent * 1262611 - (is_three_quarters ? 524031 : 0)) >> 22;
}

/* Writing digits */

static const char pairs[] = "0001020304050607080910111213141516171819"
                            "2021222324252627282930313233343536373839"
                            "4041424344454647484950515253545556575859"
                            "6061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

static inline void write_pair(char *text, uint64_t number)
{
    memcpy(text, pairs + 2 * number, 2);
}

/* 10^-8 in fixed point, rounded up. A number of 9 digits times it is too large by 10^9 / 2^57 at most, which is less
 * than 10^-8, and so changes no digit. */
#define FRACTION_BITS 57
#define RECIPROCAL (((uint64_t)1 << FRACTION_BITS) / 100000000 + 1)

/* Write the next two digits after the point of a number in fixed point, which a multiplication lifts over the point. */
static inline uint64_t write_next_pair(char *text, uint64_t fixed)
{
    const uint64_t fraction = ((uint64_t)1 << FRACTION_BITS) - 1;
    fixed = 100 * (fixed & fraction);
    write_pair(text, fixed >> FRACTION_BITS);
    return fixed;
}

/* Write 8 digits after the point. Divisions instead would need more steps that wait for each other. */
static inline void write_fraction(char *text, uint64_t fixed)
{
    fixed = write_next_pair(text, fixed);
    fixed = write_next_pair(text + 2, fixed);
    fixed = write_next_pair(text + 4, fixed);
    write_next_pair(text + 6, fixed);
}

/* Write 9 or 17 digits. */
static inline void write_digits(char *text, uint64_t number, int count)
{
    if (count == 17) {
        write_fraction(text + 9, number % 100000000 * RECIPROCAL);
        number /= 100000000;
    }
    uint64_t fixed = number * RECIPROCAL;
    *text = (char)('0' + (fixed >> FRACTION_BITS));
    write_fraction(text + 1, fixed);
}

static inline char *write_exponent(char *text, int exponent)
{
    uint64_t magnitude = (uint64_t)(exponent < 0 ? -exponent : exponent);
    *text++ = 'e';
    *text++ = exponent < 0 ? '-' : '+';
    if (magnitude >= 100) {
        *text++ = (char)('0' + magnitude / 100);
        magnitude %= 100;
    }
    write_pair(text, magnitude);
    return text + 2;
}

static inline char *drop_zeros(char *end)
{
    while (end[-1] == '0') {
        end--;
    }
    return end;
}

/* Write a number that is not 0 as printf's %g does: with an exponent below -4, or above the largest plain one. */
static inline char *write_decimal(char *text, Decimal decimal, Format format)
{
    int count = format.most_digits;
    while (decimal.digits < ten_to[count - 1]) {
        decimal.digits *= 10;
        decimal.exponent--;
    }
    int exponent = decimal.exponent + count - 1;
    if (-4 <= exponent && exponent < 0) {
        memcpy(text, "0.000", 5);
        text += 1 - exponent;
        write_digits(text, decimal.digits, count);
        return drop_zeros(text + count);
    }
    bool is_plain = 0 <= exponent && exponent <= format.largest_plain;
    int whole = is_plain ? exponent + 1 : 1;
    write_digits(text + 1, decimal.digits, count);
    memmove(text, text + 1, (size_t)whole);
    text[whole] = '.';
    text = drop_zeros(text + 1 + count);
    if (text[-1] == '.') {
        text--;
    }
    return is_plain ? text : write_exponent(text, exponent);
}

/* Printing */

/* Return the upper 64 bits of a product, with the last bit set if there are more ("round to odd"): it compares with an
 * even number as the exact product does. The power is rounded up, so a low half of 1 stands for 0. */
static inline uint64_t scale(uint64_t factor, Bits128 power)
{
    Bits128 product = multiply(factor, power.high);
    /* The rest of the power matters if it may carry, or if the low half is 0 or 1 (and wraps around here). */
    if (product.low - 2 > UINT64_MAX - 2 - factor) {
        product = multiply_power(factor, power);
    }
    return product.high | (product.low > 1);
}

/* Find the shortest decimal strictly inside the interval that rounds to significand * 2^exponent, and of several the
 * nearest. The interval of a power of two is narrower, since its neighbour below is nearer. */
static inline Decimal find_shortest(uint64_t significand, int exponent, bool is_power)
{
    /* A multiple of 10^place is inside, and of 10^(place + 1) one at most. */
    int place = log10_of_width(exponent, is_power);
    Bits128 power = powers_of_ten[-place - SMALLEST_POWER];
    int shift = exponent + log2_of_power(-place) + 1;

    /* All in quarters of 10^place, so that the middle between two multiples is even as well. */
    uint64_t number = scale((4 * significand) << shift, power);
    uint64_t lower = scale((4 * significand - (is_power ? 1 : 2)) << shift, power);
    uint64_t upper = scale((4 * significand + 2) << shift, power);
    uint64_t tens = number / 40 * 40;
    if (lower < tens) {
        return (Decimal){tens / 4, place};
    }
    if (tens + 40 < upper) {
        return (Decimal){tens / 4 + 10, place};
    }
    uint64_t units = number / 4;
    bool is_odd = units % 2 == 1;
    bool is_next_nearer = number + is_odd > 4 * units + 2; /* half-way, the even one counts as nearer */
    bool is_outside = is_power && lower >= 4 * units;
    return (Decimal){units + (is_next_nearer || is_outside), place};
}

/* Print a number by the fields of its bits. */
static inline char *print_fields(bool is_negative, int biased_exponent, uint64_t fraction, Format format, char *text)
{
    *text = '-';
    text += is_negative;
    if (biased_exponent == 0 && fraction == 0) {
        *text = '0';
        return text + 1;
    }
    bool is_normal = biased_exponent > 0;
    uint64_t significand = fraction | (uint64_t)is_normal << format.fraction_bits;
    int exponent = biased_exponent - is_normal + format.smallest_exponent - format.fraction_bits;
    /* The smallest normal number is no such power: its neighbours are equally far. There are two calls, since the
     * constant makes the usual one faster. */
    bool is_power = fraction == 0 && biased_exponent > 1;
    Decimal shortest =
        is_power ? find_shortest(significand, exponent, true) : find_shortest(significand, exponent, false);
    return write_decimal(text, shortest, format);
}

char *print_float32(float number, char *text)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return print_fields(bits >> 31, bits >> 23 & 0xff, bits & 0x7fffff, float32, text);
}

char *print_float64(double number, char *text)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return print_fields(bits >> 63, bits >> 52 & 0x7ff, bits & 0xfffffffffffff, float64, text);
}

char *print_integer(int64_t number, char *text)
{
    uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    *text = '-';
    text += number < 0;
    int count = 1;
    while (count < 19 && magnitude >= ten_to[count]) {
        count++;
    }
    for (int i = count - 1; i >= 0; i--) {
        text[i] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    }
    return text + count;
}

/* Reading digits */

static inline bool is_digit(char character)
{
    return '0' <= character && character <= '9';
}

/* Load 8 characters, the first into the lowest byte, whatever this machine's byte order. */
static inline uint64_t load_eight(const char *text)
{
    uint64_t characters = 0;
    for (int i = 0; i < 8; i++) {
        characters |= (uint64_t)(unsigned char)text[i] << 8 * i;
    }
    return characters;
}

/* Tell whether 8 characters are digits, 0x30 to 0x39: their upper half is 3, and still is after adding 6. */
static inline bool are_digits(uint64_t characters)
{
    return (characters & (characters + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) == 0x3030303030303030;
}

/* Join 8 digits to a number: neighbours to pairs, pairs to fours, fours to eight. Each multiplication adds the first of
 * two, times 10, 100 or 10000, to the second. */
static inline uint64_t join_digits(uint64_t characters)
{
    uint64_t pairs_of_digits = (characters & 0x0f0f0f0f0f0f0f0f) * (10 << 8 | 1) >> 8 & 0x00ff00ff00ff00ff;
    uint64_t fours = pairs_of_digits * (100 << 16 | 1) >> 16 & 0x0000ffff0000ffff;
    return fours * ((uint64_t)10000 << 32 | 1) >> 32;
}

/* Append digits to a number, which wraps around if they are too many. Return where they end. */
static inline const char *read_digits(const char *text, const char *end, uint64_t *number)
{
    while (end - text >= 8) {
        uint64_t characters = load_eight(text);
        if (!are_digits(characters)) {
            break;
        }
        *number = 100000000 * *number + join_digits(characters);
        text += 8;
    }
    for (; text < end && is_digit(*text); text++) {
        *number = 10 * *number + (uint64_t)(*text - '0');
    }
    return text;
}

/* Step over a sign, if there is one. */
static inline const char *read_sign(const char *text, const char *end, bool *is_negative)
{
    *is_negative = text < end && *text == '-';
    return text + (text < end && (*text == '-' || *text == '+'));
}

/* Reading decimals */

/* The most digits of which every number fits into 64 bits. */
#define MOST_DIGITS 19
/* Longer than any number with so many significant digits that a double holds. */
#define MOST_CHARACTERS 400

/* Tell whether digits, with or without a point among them, are too many for 64 bits without the zeros before them. */
static bool are_too_many(const char *text, const char *end)
{
    while (text < end && (*text == '0' || *text == '.')) {
        text++;
    }
    bool has_point = memchr(text, '.', (size_t)(end - text)) != NULL;
    return end - text - has_point > MOST_DIGITS;
}

/* Read an exponent, after its "e", and add it. */
static const char *read_exponent(const char *text, const char *end, int *exponent)
{
    bool is_negative;
    uint64_t magnitude = 0;
    const char *digits = read_sign(text, end, &is_negative);
    text = read_digits(digits, end, &magnitude);
    if (text == digits || text - digits > 4) {
        return NULL;
    }
    *exponent += is_negative ? -(int)magnitude : (int)magnitude;
    return text;
}

static inline const char *read_decimal(const char *text, const char *end, Decimal *decimal)
{
    const char *start = text;
    decimal->digits = 0;
    text = read_digits(text, end, &decimal->digits);
    ptrdiff_t whole = text - start;
    ptrdiff_t decimals = 0;
    if (text < end && *text == '.') {
        const char *point = text;
        text = read_digits(point + 1, end, &decimal->digits);
        decimals = text - point - 1;
    }
    ptrdiff_t count = whole + decimals;
    if (count == 0 || count > MOST_CHARACTERS || (count > MOST_DIGITS && are_too_many(start, text))) {
        return NULL;
    }
    decimal->exponent = -(int)decimals;
    if (text < end && (*text == 'e' || *text == 'E')) {
        return read_exponent(text + 1, end, &decimal->exponent);
    }
    return text;
}

/* Round a decimal that is not 0 to the bits of a double that is a number of the format. Return whether that is certain,
 * and the result a normal number. */
static inline bool round_decimal(Decimal decimal, Format format, uint64_t *bits)
{
    if (decimal.exponent < SMALLEST_POWER || decimal.exponent > LARGEST_POWER) {
        return false;
    }
    int zeros = count_leading_zeros(decimal.digits);
    Bits128 product = multiply_power(decimal.digits << zeros, powers_of_ten[decimal.exponent - SMALLEST_POWER]);
    int carry = (int)(product.high >> 63);
    int exponent = 63 - zeros + log2_of_power(decimal.exponent) + carry;

    int dropped = 62 + carry - format.fraction_bits;
    uint64_t half = (uint64_t)1 << (dropped - 1);
    uint64_t rest = product.high & (2 * half - 1);
    /* The power is rounded up by less than 1 in its last place, and the product is cut: it is less than 1 in its last
     * place away from the exact one. So only half-way is it uncertain on which side the exact one lies. */
    if (rest == half && product.low == 0) {
        return false;
    }
    uint64_t significand = (product.high >> dropped) + (rest >= half);
    /* The hidden bit adds 1 to the exponent, and so does a carry out of rounding. */
    *bits = ((uint64_t)(exponent + 1022) << 52) + (significand << (52 - format.fraction_bits));
    return exponent >= format.smallest_exponent && *bits >> 52 <= (uint64_t)(format.largest_exponent + 1023);
}

static inline const char *read_float(const char *text, const char *end, Format format, double *number)
{
    bool is_negative;
    Decimal decimal;
    uint64_t bits = 0;
    text = read_sign(text, end, &is_negative);
    text = read_decimal(text, end, &decimal);
    if (text == NULL || (decimal.digits != 0 && !round_decimal(decimal, format, &bits))) {
        return NULL;
    }
    bits |= (uint64_t)is_negative << 63;
    memcpy(number, &bits, sizeof bits);
    return text;
}

const char *read_float32(const char *text, const char *end, double *number)
{
    return read_float(text, end, float32, number);
}

const char *read_float64(const char *text, const char *end, double *number)
{
    return read_float(text, end, float64, number);
}

/* digits.py takes every number of 19 digits for the largest one, so these are left to it. */
const char *read_integer(const char *text, const char *end, int64_t *number)
{
    bool is_negative;
    uint64_t magnitude = 0;
    const char *digits = read_sign(text, end, &is_negative);
    text = read_digits(digits, end, &magnitude);
    if (text == digits || text - digits > 18) {
        return NULL;
    }
    *number = is_negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return text;
}

/* Shortening */

/* Split a number of the format that is not 0: significand * 2^exponent. */
static inline uint64_t split(uint64_t bits, Format format, int *exponent)
{
    const uint64_t hidden_bit = (uint64_t)1 << 52;
    int of_double = (int)(bits >> 52 & 0x7ff) - 1023;
    *exponent = (of_double < format.smallest_exponent ? format.smallest_exponent : of_double) - format.fraction_bits;
    return ((bits & (hidden_bit - 1)) | hidden_bit) >> (52 + *exponent - of_double);
}

static inline bool shorten(double *number, Format format)
{
    const uint64_t sign = (uint64_t)1 << 63;
    uint64_t bits, shortened;
    memcpy(&bits, number, sizeof bits);
    if ((bits & ~sign) == 0) {
        return true;
    }
    int exponent;
    uint64_t significand = split(bits, format, &exponent);
    if (significand == 1) {
        return false; /* its interval may have 9 and 10 of a place, neither of which is shorter */
    }
    bool is_power = significand == (uint64_t)1 << format.fraction_bits &&
                    exponent > format.smallest_exponent - format.fraction_bits;
    if (!round_decimal(find_shortest(significand, exponent, is_power), float64, &shortened)) {
        return false;
    }
    shortened |= bits & sign;
    memcpy(number, &shortened, sizeof shortened);
    return true;
}

bool shorten_float16(double *number)
{
    return shorten(number, float16);
}

bool shorten_bfloat16(double *number)
{
    return shorten(number, bfloat16);
}

bool shorten_float32(double *number)
{
    return shorten(number, float32);
}
