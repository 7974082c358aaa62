/* SPDX-License-Identifier: Apache-2.0 */
/* The subcommands of `superpipe vlun` that only look. Each returns an exit code. */
#ifndef TOOLS_CMD_VLUN_SHOW_H
#define TOOLS_CMD_VLUN_SHOW_H

/** superpipe vlun list: a table of all named virtual LUNs. */
int cmd_vlun_list(int argc, char **argv);

/** superpipe vlun stat: everything about one. */
int cmd_vlun_stat(int argc, char **argv);

#endif
