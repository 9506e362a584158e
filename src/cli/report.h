/*
 * Reports for programs: JSON, and the annotations of GitHub Actions.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <stdio.h>

#include "core/diag.h"

/* One JSON object on each line. */
void report_json(const Diag *diag, FILE *out);

/* One workflow command on each line. */
void report_github(const Diag *diag, FILE *out);

#endif
