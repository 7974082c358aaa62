/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/media_command.h"

#include <stdio.h>

#include "tools/command.h"

static int check(const struct media_command *m, struct media_call *call)
{
    int rc = adapter_options_check(&call->options.adapter, call->why, sizeof call->why);

    for (unsigned i = 0; !rc && i < m->names; i++)
        rc = command_check_name(call->rest.operand[i], call->why, sizeof call->why);
    return rc;
}

bool media_command_begin(const struct media_command *m, struct media_call *call, int argc,
                         char **argv, int *code)
{
    if (!command_begin(m->set, argc, argv, call, &call->rest, code))
        return false;
    if (!check(m, call))
        return true;
    *code = command_fail(m->set, COMMAND_USAGE, "%s", call->why);
    return false;
}

static int run(const struct media_command *m, struct media_call *call)
{
    static struct session s;
    struct session_config c = {
        .media = m->media,
        .path = {call->options.path},
        .luns =
            m->media == SESSION_MEDIA_MAKE || m->media == SESSION_MEDIA_MEMORY ? MEDIA_NEW_LUNS : 0,
        .lun_bytes = call->options.lun_bytes,
        .params = &call->params,
    };
    int rc;

    adapter_options_apply(&call->options.adapter, &c);
    call->params.interface_version |= call->capabilities;
    rc = session_open(&c, &s, call->why, sizeof call->why);
    if (rc)
        return rc;
    rc = session_run(&s, m->body, call, call->why, sizeof call->why);
    session_close(&s);
    return rc;
}

int media_command_finish(const struct media_command *m, struct media_call *call)
{
    int code =
        param_options_apply(&call->options.param, &call->params, call->why, sizeof call->why);

    if (code)
        return command_fail(m->set, code, "%s", call->why);
    if (call->options.json)
        call->json = cJSON_CreateObject();
    if (run(m, call))
        return command_fail(m->set, COMMAND_FAILED, "%s", call->why);
    if (call->json && json_print(call->json))
        return command_fail(m->set, COMMAND_FAILED, "not enough memory");
    if (!call->options.quiet)
        fputs(call->said, stdout);
    return command_end(m->set, COMMAND_GOOD);
}

int media_command(const struct media_command *m, struct media_call *call, int argc, char **argv)
{
    int code;

    return media_command_begin(m, call, argc, argv, &code) ? media_command_finish(m, call) : code;
}
