# What generated code calls with guest registers in vector registers must not touch those.
set -u
build=${BUILD:-build}
[ "$(uname -m)" = x86_64 ] || { echo "only on x86-64"; exit 77; }
command -v objdump >/dev/null || { echo "no objdump"; exit 77; }

status=0
for file in $(grep -rlE '^#include "tcg/general-regs.h"' src --include='*.c'); do
    object=$build/obj/${file#src/}
    [ -f "${object%.c}.o" ] || { echo "no object of $file"; status=1; continue; }
    if objdump -d "${object%.c}.o" | grep -E '%[xyz]mm' | head -n 3 | grep .; then
        echo "$file uses vector registers"
        status=1
    fi
done
exit $status
