/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in for libcxl, linked into a program instead of loaded by it. */
#ifndef SIM_LIBCXL_LIBCXL_LOOKUP_H
#define SIM_LIBCXL_LIBCXL_LOOKUP_H

/** A function of the library, or cxl_standin (hal/cxl_standin.h), by its name; else NULL. As
 * dlsym(); `unused` takes the place of its first argument. */
void *cxl_standin_lookup(void *unused, const char *name);

#endif
