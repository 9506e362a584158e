#include "config/embedded.h"

#include <string.h>

const Embedded *embedded_find(const char *name)
{
    for (const Embedded *one = embedded; one->name; one++) {
        if (strcmp(one->name, name) == 0) {
            return one;
        }
    }
    return NULL;
}
