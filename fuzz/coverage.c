/* Tells libFuzzer which code of the kernel an input reaches.
 *
 * Compilers call __sanitizer_cov_trace_pc in each basic block (-fsanitize-coverage=trace-pc), and libFuzzer, as atheris
 * has it, wants counters that lie in a row, with an address for each. */

#include <stdint.h>

#define COUNTERS (1 << 14) /* more than the kernel has blocks */

typedef struct {
    uintptr_t address, flags;
} Block;

extern void __sanitizer_cov_8bit_counters_init(uint8_t *start, uint8_t *end);
extern void __sanitizer_cov_pcs_init(const Block *start, const Block *end);

static uint8_t counters[COUNTERS];
static Block blocks[COUNTERS];

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_cmpf(float left, float right);
void __sanitizer_cov_trace_cmpd(double left, double right);

/* Count a block by a hash of its place in the kernel, which is loaded at another address each time. */
void __sanitizer_cov_trace_pc(void)
{
    uint32_t place = (uint32_t)((uintptr_t)__builtin_return_address(0) - (uintptr_t)counters);
    counters[place * 2654435761u >> 18]++;
}

/* libFuzzer learns of comparisons of integers alone. */
void __sanitizer_cov_trace_cmpf(float left, float right)
{
    (void)left, (void)right;
}

void __sanitizer_cov_trace_cmpd(double left, double right)
{
    (void)left, (void)right;
}

__attribute__((constructor)) static void tell(void)
{
    for (int place = 0; place < COUNTERS; place++) {
        blocks[place].address = (uintptr_t)&counters[place];
    }
    __sanitizer_cov_8bit_counters_init(counters, counters + COUNTERS);
    __sanitizer_cov_pcs_init(blocks, blocks + COUNTERS);
}
