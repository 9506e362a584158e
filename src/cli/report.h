/*
 * Reports for programs: JSON, the annotations of GitHub Actions, and SARIF.
 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <stdio.h>

#include "core/diag.h"

/* One JSON object on each line. */
void report_json(const Diag *diag, FILE *out);

/* One workflow command on each line. */
void report_github(const Diag *diag, FILE *out);

/* A log of SARIF 2.1.0 about all of them. */
void report_sarif(const Diag *const *diags, unsigned count, FILE *out);

#endif
