/*
 * The machines that one file can be: its profiles, and the combinations of its matrix.
 */
#ifndef CONFIG_VARIANTS_H
#define CONFIG_VARIANTS_H

#include "config/config.h"

enum { MOST_COMBINATIONS = 256 };

/*
 * Each combination of the matrix as an array of "PATH=VALUE", which --set takes. NULL after
 * reporting; empty without a matrix. Free with g_ptr_array_unref.
 */
GPtrArray *config_matrix(const char *file, const ConfigOptions *options, Diag *diag);

/* The names of the file's profiles. NULL after reporting. Free with g_ptr_array_unref. */
GPtrArray *config_profiles(const char *file, const ConfigOptions *options, Diag *diag);

#endif
