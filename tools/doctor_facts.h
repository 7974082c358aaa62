/* SPDX-License-Identifier: Apache-2.0 */
/* What `superpipe doctor` knows of a machine, as it was found and without an opinion. Collected by
 * doctor_collect.h, judged by doctor_judge.h, printed by doctor_print.h. (CX = docs/spec/libcxl.md)
 */
#ifndef TOOLS_DOCTOR_FACTS_H
#define TOOLS_DOCTOR_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOCTOR_CARDS_MAX 8u
#define DOCTOR_AFUS_MAX 16u
#define DOCTOR_FILES_MAX 12u
#define DOCTOR_CPU_LINES_MAX 8u
#define DOCTOR_VPD_BYTES 512u /* twice what the stack reads (AD-45) */
#define DOCTOR_ERROR_BYTES 4096u

/** A short text file, or why there is none. */
struct doctor_value {
    int error;      /* 0, or the negative errno of reading it */
    char text[160]; /* lines joined by blanks */
};

/** Bytes of a binary file. */
struct doctor_bytes {
    int error; /* 0, or the negative errno of reading it */
    size_t size;
};

/** Who may do what with a file. */
struct doctor_permission {
    int error;     /* 0, or a negative errno: -ENOENT there is none */
    unsigned mode; /* permission bits */
    unsigned uid, gid;
    bool readable, writable; /* by this process */
};

enum doctor_card_attribute {
#define DOCTOR_CARD(id, file) DOCTOR_##id,
#include "tools/doctor_attributes.def"
    DOCTOR_CARD_ATTRIBUTES
};

enum doctor_afu_attribute {
#define DOCTOR_AFU(id, file) DOCTOR_##id,
#include "tools/doctor_attributes.def"
    DOCTOR_AFU_ATTRIBUTES
};

enum doctor_master_attribute {
#define DOCTOR_MASTER(id, file) DOCTOR_##id,
#include "tools/doctor_attributes.def"
    DOCTOR_MASTER_ATTRIBUTES
};

enum doctor_slave_attribute {
#define DOCTOR_SLAVE(id, file) DOCTOR_##id,
#include "tools/doctor_attributes.def"
    DOCTOR_SLAVE_ATTRIBUTES
};

/** Names of the files, by these enumerations. */
extern const char *const doctor_card_files[DOCTOR_CARD_ATTRIBUTES];
extern const char *const doctor_afu_files[DOCTOR_AFU_ATTRIBUTES];
extern const char *const doctor_master_files[DOCTOR_MASTER_ATTRIBUTES];
extern const char *const doctor_slave_files[DOCTOR_SLAVE_ATTRIBUTES];

struct doctor_card {
    unsigned number;
    struct doctor_value attribute[DOCTOR_CARD_ATTRIBUTES];
    struct doctor_permission same_image; /* of the file perst_reloads_same_image */
    char pci[96];                        /* directory of the PCI function, "" = not found */
    char cxlflash[32]; /* function below it that the kernel's cxlflash drives, "" = none */
    bool silent;       /* its configuration space reads all ones */
    struct doctor_bytes vpd;
    uint8_t vpd_bytes[DOCTOR_VPD_BYTES];
};

enum doctor_view { DOCTOR_MASTER_VIEW, DOCTOR_SLAVE_VIEW, DOCTOR_DEDICATED_VIEW, DOCTOR_VIEWS };

/** Port of an AFU that was opened. */
struct doctor_port {
    uint64_t status; /* AFU_PORT_ status register */
    uint64_t error;  /* FC error register */
};

/** What registers said; only with --open. */
struct doctor_registers {
    bool asked;
    int error;     /* 0, or a negative errno */
    char why[256]; /* a sentence, without its point */
    char version[9];
    uint64_t interface_version;
    unsigned ports;
    struct doctor_port port[4];
};

struct doctor_afu {
    unsigned card, slice;
    struct doctor_value attribute[DOCTOR_AFU_ATTRIBUTES];
    struct doctor_value master[DOCTOR_MASTER_ATTRIBUTES];
    struct doctor_value slave[DOCTOR_SLAVE_ATTRIBUTES];
    struct doctor_permission node[DOCTOR_VIEWS]; /* /dev/cxl/afuN.Mm, s, d */
    struct doctor_permission reset;              /* of the file reset */
    struct doctor_bytes error_buffer;            /* afu_err_buff */
    uint8_t error_bytes[DOCTOR_ERROR_BYTES];
    struct doctor_registers registers;
};

/** The libcxl that a program would get. */
struct doctor_library {
    bool usable;      /* IBM's, 1.2 or later */
    bool standin;     /* ... that of this project, on the simulator */
    char name[256];   /* what was asked for */
    char path[256];   /* where it was found */
    char version[32]; /* "1.7": by its symbols (CX-5) */
    char why[400];    /* a sentence why it is not usable (CX-4) */
};

/** A file with the name of the library. */
struct doctor_file {
    char path[96];
    char target[96]; /* of a link, "" = it is none */
};

struct doctor_facts {
    char system[65], release[65], version[128], machine[65];
    bool big_endian;
    uint64_t page_size;
    unsigned uid;
    uint64_t memlock; /* bytes, UINT64_MAX = no limit */

    char cpu[DOCTOR_CPU_LINES_MAX][128];
    unsigned cpu_lines;
    bool power, power8;
    char os_name[96], os_id[32], os_like[64], os_version[32];

    bool class_there;      /* /sys/class/cxl */
    bool driver_loaded;    /* /sys/module/cxl */
    char driver_file[160]; /* of the module, "" = there is none for this kernel */
    bool cxlflash_loaded;
    char modules[256];     /* those with cxl or capi in their names */
    bool express_link_bus; /* /sys/bus/cxl */
    char eeh[1024];        /* /proc/powerpc/eeh */

    struct doctor_library library;
    struct doctor_file file[DOCTOR_FILES_MAX];
    unsigned files;

    struct doctor_card card[DOCTOR_CARDS_MAX];
    unsigned cards;
    struct doctor_afu afu[DOCTOR_AFUS_MAX];
    unsigned afus;
};

/** The card with a number, or NULL. */
const struct doctor_card *doctor_card(const struct doctor_facts *f, unsigned number);

/** The number that an attribute holds, decimal or 0x; `none` when it was not read or is none. */
uint64_t doctor_number(const struct doctor_value *v, uint64_t none);

#endif
