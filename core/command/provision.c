/* SPDX-License-Identifier: Apache-2.0 */
#include "core/command/provision.h"

#include <errno.h>
#include <string.h>

#include "core/adapter/verb.h"

int spipe__provision_check(struct spipe *s, unsigned port)
{
    if (!(s->interface_version & AFU_IFV_LUN_PROVISION))
        return -EOPNOTSUPP;
    return port < s->ports ? 0 : -EINVAL;
}

/* ---- the command ---- */

struct provision {
    struct spipe__command command;
    struct afu_ioasa answer;
};

static int send(struct spipe *s, void *arg)
{
    struct provision *p = arg;

    return spipe__afu_command(s, &p->command, &p->answer);
}

/* SL 12. */
static int run(struct spipe *s, struct provision *p, enum afu_provision what, unsigned port,
               uint64_t blocks, uint64_t lun_id)
{
    p->command = (struct spipe__command){
        .flags = AFU_REQ_AFU_CMD, .timeout = AFU_CMD_TIMEOUT_S, .lun_id = lun_id};
    afu_provision_cdb(p->command.cdb.bytes, what, (uint8_t)port, blocks);
    return spipe__afu_command_request(s, send, p);
}

/* ---- create ---- */

int spipe__provision_create(struct spipe *s, unsigned port, uint64_t blocks,
                            struct spipe_provisioned_lun *out)
{
    struct provision p;
    int rc = spipe__provision_check(s, port);

    if (!rc)
        rc = run(s, &p, AFU_PROVISION_CREATE, port, blocks, 0);
    if (rc)
        return rc;
    out->lun_id = afu_ioasa_lun_id(s->order, &p.answer);
    memcpy(out->wwid, p.answer.provision.wwid, sizeof out->wwid);
    return 0;
}

/* ---- delete ---- */

/* The LUN that this adapter knows behind the port under this id, or NULL. */
static struct spipe__lun *find(struct spipe *s, unsigned port, uint64_t lun_id)
{
    struct spipe__lun *found = NULL;

    spipe__books_lock(s);
    for (unsigned i = 0; i < s->lun_count && !found; i++)
        if (s->lun[i].found_ports & AFU_PORT_BIT(port) && s->lun[i].lun_id[port] == lun_id)
            found = &s->lun[i];
    spipe__books_unlock(s);
    return found;
}

static bool enabled(struct spipe *s, const struct spipe__lun *lun, unsigned port)
{
    bool is;

    spipe__books_lock(s);
    is = lun->port_mask & AFU_PORT_BIT(port);
    spipe__books_unlock(s);
    return is;
}

/* The LUN is still there: as before, unless somebody has begun to use it through other ports
 * meanwhile. Then it stays disabled here. */
static void give_back(struct spipe *s, struct spipe__lun *lun, unsigned port)
{
    int rc;

    spipe__books_lock(s);
    rc = spipe__lun_enable(s, lun, port);
    spipe__books_unlock(s);
    (void)rc;
}

/* Its id may soon be another LUN's. A discovery that has seen the LUN before it went comes first,
 * so that it does not bring it back. */
static void forget(struct spipe *s, struct spipe__lun *lun, unsigned port)
{
    exec_mutex_lock(s->exec, &s->discovery);
    spipe__books_lock(s);
    lun->found_ports &= (uint8_t)~AFU_PORT_BIT(port);
    spipe__books_unlock(s);
    exec_mutex_unlock(s->exec, &s->discovery);
}

/* Nobody can begin to use the LUN while it is being deleted: it is disabled first. The original
 * deletes LUNs under their users, and whoever gets the id next shares its blocks with them. */
static int delete_known(struct spipe *s, struct provision *p, struct spipe__lun *lun, unsigned port,
                        uint64_t lun_id)
{
    bool was_enabled = enabled(s, lun, port);
    int rc = spipe__lun_disable(s, lun, port);

    if (rc)
        return rc;
    rc = run(s, p, AFU_PROVISION_DELETE, port, 0, lun_id);
    if (!rc)
        forget(s, lun, port);
    else if (was_enabled)
        give_back(s, lun, port);
    return rc;
}

int spipe__provision_delete(struct spipe *s, unsigned port, uint64_t lun_id)
{
    struct provision p;
    struct spipe__lun *lun;
    int rc = spipe__provision_check(s, port);

    if (rc)
        return rc;
    lun = find(s, port, lun_id);
    return lun ? delete_known(s, &p, lun, port, lun_id)
               : run(s, &p, AFU_PROVISION_DELETE, port, 0, lun_id);
}

/* ---- query ---- */

/* D-11: inside the gate, so the registers are there. The last one tells whether all were. */
int spipe__provision_query(struct spipe *s, unsigned port, struct spipe_provision_info *out)
{
    struct spipe_provision_info info;
    int rc = spipe__provision_check(s, port);

    if (rc)
        return rc;
    info.luns_max = spipe__read(s, AFU_PORT_REGS(port) + AFU_FC_MAX_NUM_LUNS);
    info.luns = spipe__read(s, AFU_PORT_REGS(port) + AFU_FC_CUR_NUM_LUNS);
    info.blocks_max = spipe__read(s, AFU_PORT_REGS(port) + AFU_FC_MAX_CAP_PORT);
    info.blocks = spipe__read(s, AFU_PORT_REGS(port) + AFU_FC_CUR_CAP_PORT);
    if (info.blocks == HAL_ALL_ONES)
        return -ENODEV;
    *out = info;
    return 0;
}

/* ---- verbs ---- */

static int begin(struct spipe *s)
{
    return spipe__verb_begin(s, SPIPE__VERB_LUN_PROVISION, SPIPE__ADMIT_NORMAL);
}

static int end(struct spipe *s, int rc)
{
    return spipe__verb_end(s, SPIPE__VERB_LUN_PROVISION, rc);
}

int spipe_lun_provision_create(struct spipe *s, unsigned port, uint64_t blocks,
                               struct spipe_provisioned_lun *out)
{
    int rc = begin(s);

    return rc ? rc : end(s, spipe__provision_create(s, port, blocks, out));
}

int spipe_lun_provision_delete(struct spipe *s, unsigned port, uint64_t lun_id)
{
    int rc = begin(s);

    return rc ? rc : end(s, spipe__provision_delete(s, port, lun_id));
}

int spipe_lun_provision_query(struct spipe *s, unsigned port, struct spipe_provision_info *out)
{
    int rc = begin(s);

    return rc ? rc : end(s, spipe__provision_query(s, port, out));
}
