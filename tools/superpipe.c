/* SPDX-License-Identifier: Apache-2.0 */
/* superpipe: the program. It finds the subcommand; each has a file cmd_NAME.c. */
#include <signal.h>

#include "hal/support/bits.h"
#include "tools/command.h"
#include "tools/command_group.h"

static const struct command commands[] = {
    {"run", cmd_run, "mixed I/O with verification by many clients, with figures"},
    {"put", cmd_put, "store a file in a named virtual LUN"},
    {"get", cmd_get, "copy a named virtual LUN into a file"},
    {"list", cmd_list, "list the named virtual LUNs"},
    {"remove", cmd_remove, "remove a named virtual LUN"},
    {"vlun", cmd_vlun, "requests on virtual LUNs, one by one: create, resize, release ..."},
    {"lun", cmd_lun, "the LUNs of the adapter, and what they are in use for"},
    {"port", cmd_port, "the FC ports of the adapter: names, links and statistics"},
    {"attr", cmd_attr, "attributes of the adapter, as sysfs shows those of the original"},
    {"scsi", cmd_scsi, "send one SCSI command to a LUN, or reset it"},
    {"doctor", cmd_doctor, "what this machine lacks for runs on a real card, as a report"},
    {"info", cmd_info, "show adapter, ports, LUNs and parameters"},
    {"trace", cmd_trace, "show what a trace file tells, for example the life of a command"},
    {"events", cmd_events, "show what an adapter went through, from an event file"},
};

static const struct command_group group = {
    .words = "superpipe",
    .manual = "superpipe",
    .summary = "The CAPI Flash stack in user space, on a simulated adapter.",
    .commands = commands,
    .count = HAL_ARRAY_LENGTH(commands),
};

int main(int argc, char **argv)
{
    /* Writing too much, or to nobody, is an error with a sentence, not a sudden death. */
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    return command_group_run(&group, argc, argv);
}
