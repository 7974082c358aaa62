/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_CMD_LUN_MODE_H
#define TOOLS_CMD_LUN_MODE_H

/** superpipe lun mode: what a LUN is in use for, and MANAGE_LUN. Returns an exit code. */
int cmd_lun_mode(int argc, char **argv);

#endif
