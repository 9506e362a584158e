/*
 * Include after all other headers in a C file whose functions generated code calls while guest
 * registers are in the host's vector registers: nothing from here to "tcg/general-regs-end.h" is
 * compiled to use them.
 */
#if defined(__x86_64__) && defined(__clang__)
#pragma clang attribute push(__attribute__((target("general-regs-only"))), apply_to = function)
#elif defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("general-regs-only")
#endif

/* For such functions: a sanitizer's run time would touch them too. */
#ifndef QUIET
#define QUIET __attribute__((no_sanitize("thread", "address", "undefined")))
#endif
