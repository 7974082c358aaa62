/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe scsi: one SCSI command, by hand. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tools/command.h"
#include "tools/media_command.h"
#include "tools/option_values.h"
#include "tools/scsi_text.h"
#include "tools/text.h"

/* ---- the command line -------------------------------------------------------------------
 */

struct scsi {
    struct media_call call;
    uint64_t in; /* bytes that the device is to give */
    const char *out;
    uint64_t port; /* SPIPE_PORT_ANY: any */
    uint64_t timeout;
    bool reset_lun;
    size_t cdb_bytes;
    struct spipe_scsi command;
    int rc; /* of spipe_scsi() */
};

static const struct option_spec specs[] = {
    MEDIA_PATH_ROW(struct scsi, call.options,
                   "media file of the adapter; without it, new LUNs in\nmemory"),
    {.name = "in",
     .value = "SIZE",
     .kind = OPTION_SIZE,
     .offset = offsetof(struct scsi, in),
     .min = 1,
     .max = SPIPE_SCSI_DATA_MAX,
     .help = "bytes that the device is to give; they are printed"},
    {.name = "out",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct scsi, out),
     .help = "bytes for the device, up to 16 MiB"},
    {.name = "port",
     .value = "PORT",
     .kind = OPTION_COUNT,
     .offset = offsetof(struct scsi, port),
     .max = 3,
     .help = "through this port (the lowest one that is online)"},
    {.name = "timeout",
     .value = "TIME",
     .kind = OPTION_DURATION,
     .offset = offsetof(struct scsi, timeout),
     .help = "abort the command after this time (30s)"},
    {.name = "reset-lun",
     .kind = OPTION_FLAG,
     .offset = offsetof(struct scsi, reset_lun),
     .help = "reset the LUN first, by task management; the CDB may\nbe left out"},
    MEDIA_LUN_SIZE_ROW(struct scsi, call.options.lun_bytes),
    PARAM_OPTION_ROWS(struct scsi, call.options.param),
    MEDIA_JSON_ROW(struct scsi, call.options),
};

static const struct option_set set = {
    .command = "scsi",
    .operands = "LUN CDB...",
    .operand_count = 1 + SPIPE_CDB_BYTES,
    .operands_optional = true,
    .summary = "Sends one SCSI command to a LUN of a simulated adapter and prints what it answers.",
    .notes =
        "The CDB is up to 16 bytes in hexadecimal, in one word or several; what is missing is\n"
        "0. For example INQUIRY: superpipe scsi 0 12 00 00 00 24 --in 36\n"
        "The exit status is 0 if the command ended well, and 1 if it did not.",
    .specs = specs,
    .count = HAL_ARRAY_LENGTH(specs),
};

static int check_lun(struct scsi *c)
{
    const struct option_rest *rest = &c->call.rest;
    uint64_t lun;

    if (!rest->operands)
        return command_fail(&set, COMMAND_USAGE,
                            "an operand is missing: superpipe scsi LUN CDB...");
    if (option_value_count(rest->operand[0], &lun) || lun >= SIM_MEDIA_LUNS_MAX)
        return command_fail(&set, COMMAND_USAGE,
                            "'%s' is no number of a LUN: 'superpipe lun list' shows them",
                            rest->operand[0]);
    c->command.lun = (unsigned)lun;
    return 0;
}

static int check_cdb(struct scsi *c)
{
    const struct option_rest *rest = &c->call.rest;

    for (unsigned i = 1; i < rest->operands; i++) {
        int rc = scsi_text_bytes(rest->operand[i], c->command.cdb, SPIPE_CDB_BYTES, &c->cdb_bytes);

        if (rc == -ENOSPC)
            return command_fail(&set, COMMAND_USAGE, "a CDB has at most 16 bytes");
        if (rc)
            return command_fail(&set, COMMAND_USAGE,
                                "'%s' is no part of a CDB: bytes are two hexadecimal digits each",
                                rest->operand[i]);
    }
    if (!c->cdb_bytes && !c->reset_lun)
        return command_fail(&set, COMMAND_USAGE,
                            "an operand is missing: superpipe scsi LUN CDB...");
    if (!c->cdb_bytes && (c->in || c->out))
        return command_fail(&set, COMMAND_USAGE, "--in and --out need a CDB");
    if (c->in && c->out)
        return command_fail(&set, COMMAND_USAGE, "give --in or --out, not both");
    return 0;
}

/* ---- data --------------------------------------------------------------------------------
 */

static int read_file(struct scsi *c)
{
    FILE *f = fopen(c->out, "rb");
    size_t n;

    if (!f)
        return command_fail(&set, COMMAND_FAILED, "'%s' cannot be read: %s", c->out,
                            strerror(errno));
    n = fread(c->command.data, 1, SPIPE_SCSI_DATA_MAX + 1, f);
    if (ferror(f) || fclose(f))
        return command_fail(&set, COMMAND_FAILED, "'%s' cannot be read: %s", c->out,
                            strerror(errno));
    if (n == 0 || n > SPIPE_SCSI_DATA_MAX)
        return command_fail(&set, COMMAND_FAILED, "'%s' %s: a command moves 1 byte to 16 MiB",
                            c->out, n ? "is too large" : "is empty");
    c->command.length = (uint32_t)n;
    c->command.write = true;
    return 0;
}

static int make_data(struct scsi *c)
{
    if (!c->in && !c->out)
        return 0;
    c->command.data = calloc(1, SPIPE_SCSI_DATA_MAX + 1);
    if (!c->command.data)
        return command_fail(&set, COMMAND_FAILED, "not enough memory");
    c->command.length = (uint32_t)c->in;
    return c->out ? read_file(c) : 0;
}

/* ---- what it says ------------------------------------------------------------------------
 */

/* "5/24/00: illegal request, invalid field in CDB" */
static const char *sense_text(const struct spipe_scsi *r, char *buf, size_t size)
{
    const char *code = scsi_text_sense_code(r->asc, r->ascq);

    snprintf(buf, size, "%x/%02x/%02x: %s", r->sense_key, r->asc, r->ascq,
             scsi_text_sense_key(r->sense_key));
    if (code)
        text_append(buf, size, ", %s", code);
    return buf;
}

/* Bytes that came from the device. */
static uint32_t arrived(const struct spipe_scsi *r)
{
    if (r->write || !r->length)
        return 0;
    return r->residual < r->length ? r->length - r->residual : 0;
}

static void print_answer(const struct spipe_scsi *r)
{
    uint8_t status = SPIPE_RESULT_STATUS(r->result), host = SPIPE_RESULT_HOST(r->result);
    char text[128];

    printf("status %02x %s, host byte %02x %s\n", status, scsi_text_status(status), host,
           spipe_host_byte_words(host));
    if (r->sense_valid)
        printf("sense %s\n", sense_text(r, text, sizeof text));
    if (r->flags | r->afu_rc | r->scsi_rc | r->fc_rc)
        printf("flags %02x, afu_rc %02x, scsi_rc %02x, fc_rc %02x, afu_extra %02x\n", r->flags,
               r->afu_rc, r->scsi_rc, r->fc_rc, r->afu_extra);
    if (r->length)
        printf("residual %" PRIu32 " of %" PRIu32 " bytes\n", r->residual, r->length);
    if (arrived(r))
        scsi_text_dump(r->data, arrived(r));
}

static void add_data(cJSON *j, const struct spipe_scsi *r)
{
    size_t n = arrived(r);
    char *text = malloc(2 * n + 1);

    if (!text)
        return;
    text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", ((const uint8_t *)r->data)[i]);
    cJSON_AddStringToObject(j, "data", text);
    free(text);
}

static void add_answer(cJSON *j, const struct spipe_scsi *r)
{
    char text[128];

    json_u64(j, "result", r->result);
    json_u64(j, "status", SPIPE_RESULT_STATUS(r->result));
    json_u64(j, "host_byte", SPIPE_RESULT_HOST(r->result));
    cJSON_AddStringToObject(j, "status_text", scsi_text_status(SPIPE_RESULT_STATUS(r->result)));
    cJSON_AddStringToObject(j, "host_byte_text",
                            spipe_host_byte_words(SPIPE_RESULT_HOST(r->result)));
    if (r->sense_valid)
        cJSON_AddStringToObject(j, "sense", sense_text(r, text, sizeof text));
    json_u64(j, "residual", r->residual);
    add_data(j, r);
}

/* ---- carrying it out ---------------------------------------------------------------------
 */

static int failed(const struct scsi *c, const char *what, int rc, char *why, size_t size)
{
    if (rc == -ENOENT)
        snprintf(why, size, "there is no LUN %u: 'superpipe lun list' shows what there is",
                 c->command.lun);
    else if (rc == -EINVAL)
        snprintf(why, size, "LUN %u is not behind that port", c->command.lun);
    else if (rc == -ETIMEDOUT)
        snprintf(why, size, "%s was not answered in time, and aborted", what);
    else
        snprintf(why, size, "%s failed: %s", what, strerror(-rc));
    return rc;
}

static int body(struct session *s, void *arg, char *why, size_t size)
{
    struct scsi *c = arg;
    int rc = c->reset_lun ? spipe_scsi_reset_lun(s->spipe[0], &c->command) : 0;

    if (rc)
        return failed(c, "the LUN reset", rc, why, size);
    if (c->call.json && c->reset_lun)
        cJSON_AddBoolToObject(c->call.json, "lun_reset", true);
    else if (c->reset_lun)
        printf("LUN %u was reset\n", c->command.lun);
    if (!c->cdb_bytes)
        return 0;
    rc = spipe_scsi(s->spipe[0], &c->command);
    if (rc)
        return failed(c, "the command", rc, why, size);
    if (c->call.json)
        add_answer(c->call.json, &c->command);
    else
        print_answer(&c->command);
    return 0;
}

static int run(struct scsi *c)
{
    const struct media_command m = {
        &set, c->call.options.path ? SESSION_MEDIA_FILE : SESSION_MEDIA_MEMORY, 0, body};
    int code = make_data(c);

    c->command.size = sizeof c->command;
    c->command.port = (unsigned)c->port;
    c->command.timeout_ns = c->timeout;
    if (!code)
        code = media_command_finish(&m, &c->call);
    free(c->command.data);
    return code ? code : c->command.result ? COMMAND_FAILED : COMMAND_GOOD;
}

int cmd_scsi(int argc, char **argv)
{
    static const struct media_command begin = {&set, SESSION_MEDIA_FILE, 0, body};
    static struct scsi c = {.call.options.lun_bytes = MEDIA_NEW_LUN_BYTES, .port = SPIPE_PORT_ANY};
    int code;

    if (!media_command_begin(&begin, &c.call, argc, argv, &code))
        return code;
    code = check_lun(&c);
    if (!code)
        code = check_cdb(&c);
    return code ? code : run(&c);
}
