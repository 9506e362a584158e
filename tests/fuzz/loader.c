/*
 * Fuzz entry: any bytes as a machine file. The loader survives them and says what is wrong.
 * folders: core config
 */
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(Diag) diag = diag_new();
    g_autoptr(MachineSpec)
        spec = config_load_text("fuzz.yaml", (const char *)data, size, NULL, diag);
    g_autofree char *said = diag_to_string(diag, DIAG_PLAIN);

    g_assert(spec ? diag_errors(diag) == 0 : diag_errors(diag) > 0 && *said);
    return 0;
}
