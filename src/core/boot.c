#include "core/boot.h"

#include "core/build-impl.h"

void machine_reload_boot(Machine *machine)
{
}

void machine_free_boot(Machine *machine)
{
}
