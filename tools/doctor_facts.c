/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/doctor_facts.h"

#include <errno.h>
#include <stdlib.h>

const char *const doctor_card_files[DOCTOR_CARD_ATTRIBUTES] = {
#define DOCTOR_CARD(id, file) file,
#include "tools/doctor_attributes.def"
};

const char *const doctor_afu_files[DOCTOR_AFU_ATTRIBUTES] = {
#define DOCTOR_AFU(id, file) file,
#include "tools/doctor_attributes.def"
};

const char *const doctor_master_files[DOCTOR_MASTER_ATTRIBUTES] = {
#define DOCTOR_MASTER(id, file) file,
#include "tools/doctor_attributes.def"
};

const char *const doctor_slave_files[DOCTOR_SLAVE_ATTRIBUTES] = {
#define DOCTOR_SLAVE(id, file) file,
#include "tools/doctor_attributes.def"
};

const struct doctor_card *doctor_card(const struct doctor_facts *f, unsigned number)
{
    for (unsigned i = 0; i < f->cards; i++)
        if (f->card[i].number == number)
            return &f->card[i];
    return NULL;
}

uint64_t doctor_number(const struct doctor_value *v, uint64_t none)
{
    char *end;
    uint64_t n;

    if (v->error || !*v->text || *v->text == '-')
        return none;
    errno = 0;
    n = strtoull(v->text, &end, 0);
    return *end || errno ? none : n;
}
