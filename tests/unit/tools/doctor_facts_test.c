/* SPDX-License-Identifier: Apache-2.0 */
/* Facts: numbers of attributes, cards by their numbers. */
#include "tools/doctor_facts.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(doctor_facts, numbers_of_attributes)
{
    static const struct {
        struct doctor_value value;
        uint64_t expected;
    } row[] = {
        {{0, "4"}, 4},
        {{0, "0x1014"}, 0x1014},
        {{0, "33685504"}, 0x2020000},
        {{0, ""}, 99},
        {{0, "-1"}, 99},
        {{0, "user"}, 99},
        {{0, "4 5"}, 99},
        {{0, "18446744073709551616"}, 99},
        {{-ENOENT, "4"}, 99},
    };

    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        cr_assert_eq(doctor_number(&row[i].value, 99), row[i].expected, "%s", row[i].value.text);
}

Test(doctor_facts, cards_by_number)
{
    static struct doctor_facts f;

    f.cards = 2;
    f.card[0].number = 3;
    f.card[1].number = 0;
    cr_assert_eq(doctor_card(&f, 0), &f.card[1]);
    cr_assert_eq(doctor_card(&f, 3), &f.card[0]);
    cr_assert_null(doctor_card(&f, 1));
}
