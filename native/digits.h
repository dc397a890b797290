/* Numbers to text and back, to the digit and to the bit as on the server.
 *
 * asyncpg_vector/runtime/digits.py is the judge. Nothing here knows Python, a type or a header. */

#ifndef ASYNCPG_VECTOR_DIGITS_H
#define ASYNCPG_VECTOR_DIGITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most characters that a printed number takes. */
#define FLOAT32_CHARACTERS 15
#define FLOAT64_CHARACTERS 24
#define INTEGER_CHARACTERS 20

/* Print a finite number as the server does, without a final 0 byte; return the end. The text after it, up to the most
 * characters, may be overwritten. */
char *print_float32(float number, char *text);
char *print_float64(double number, char *text);
char *print_integer(int64_t number, char *text);

/* Replace a finite number of a format by the double that is nearest to its shortest decimal, by the rule of
 * print_float32. Return false, so that Python does it, if 128 bits do not settle which double is nearest. */
bool shorten_float16(double *number);
bool shorten_bfloat16(double *number);
bool shorten_float32(double *number);

/* Read one plain decimal number ([+-]digits[.digits][e[+-]digits], as in digits.py's _NUMBER) that starts at text, and
 * ends at end or before. Return where it ends, or NULL if there is none. read_float32 rounds once to float32, as strtof
 * does, and returns it as a double.
 *
 * They return NULL as well, so that Python reads the number, for one that overflows, is subnormal, has more than 19
 * significant digits (an integer: 18 digits), lies half-way between two others, or is beyond the powers of ten that are
 * known here. */
const char *read_float32(const char *text, const char *end, double *number);
const char *read_float64(const char *text, const char *end, double *number);
const char *read_integer(const char *text, const char *end, int64_t *number);

#endif
