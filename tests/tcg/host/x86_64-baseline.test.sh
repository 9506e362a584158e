#!/bin/sh
# Random blocks through the x86-64 host as it is on the smallest machine it supports: no AVX, BMI or FMA;
# and on one with AVX alone.
set -eu
program=${BUILD:-build}/tests/tcg/host-vs-interp
[ "$(uname -m)" = x86_64 ] || exit 77
LATHE_X86_BASELINE=1 "$program" 1000 1500
LATHE_X86_BASELINE=avx exec "$program" 2000 1500
