/*
 * What this program calls itself.
 */
#ifndef CORE_VERSION_H
#define CORE_VERSION_H

#define LATHE_VERSION "0.1.0"

#endif
