/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_CMD_LUN_PROVISION_H
#define TOOLS_CMD_LUN_PROVISION_H

/** superpipe lun provision: LUNs that are made, and ended, behind one port. Returns an exit code.
 */
int cmd_lun_provision(int argc, char **argv);

#endif
