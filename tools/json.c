/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"

void json_u64(cJSON *object, const char *name, uint64_t value)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%" PRIu64, value);
    cJSON_AddRawToObject(object, name, digits);
}

void json_bits(cJSON *object, const char *name, uint64_t mask)
{
    cJSON *array = cJSON_AddArrayToObject(object, name);

    for (unsigned i = 0; i < 64; i++)
        if (mask & HAL_BIT(i))
            cJSON_AddItemToArray(array, cJSON_CreateNumber(i));
}

char *json_finish(cJSON *root)
{
    char *text = cJSON_Print(root), *longer;
    size_t length;

    cJSON_Delete(root);
    if (!text)
        return NULL;
    length = strlen(text);
    longer = realloc(text, length + 2);
    if (!longer) {
        free(text);
        return NULL;
    }
    memcpy(longer + length, "\n", 2);
    return longer;
}

int json_print(cJSON *root)
{
    char *text = json_finish(root);

    if (!text)
        return -ENOMEM;
    fputs(text, stdout);
    free(text);
    return 0;
}
