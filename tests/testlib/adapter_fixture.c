/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/adapter_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

#include "core/lun/lun_mode.h"
#include "tests/testlib/gate_force.h"

static void init(struct adapter_fixture *f, enum hal_order order, uint64_t modes, unsigned hwqs)
{
    struct spipe__queue_config config = {.order = order,
                                         .depth = 8,
                                         .rrq_elements = 16,
                                         .interrupts = true,
                                         .sq = true,
                                         .name = "master"};
    char why[120] = "";

    memset(f, 0, sizeof *f);
    fake_exec_init(&f->exec, 1);
    fake_luns_init(&f->luns);
    fake_afu_init(&f->afu, &f->exec, fake_luns_answer, &f->luns);
    f->afu.first_context = FIXTURE_MASTER;
    *fake_afu_register(&f->afu, AFU_GLOBAL_BASE + AFU_GLOBAL_INTERFACE_VERSION) =
        afu_interface_version(modes, 1, 2);
    f->s.exec = &f->exec.exec;
    f->s.dev = &f->afu.dev;
    f->s.order = order;
    cr_assert_eq(spipe__group_join(&f->s, NULL), 0);
    spipe__locks_init(&f->s);
    spipe__lun_table_init(&f->s);
    f->s.scratch = exec_alloc(f->s.exec, SPIPE__SCRATCH_SIZE, 128);
    cr_assert_eq(hal_mem_register(f->s.dev, f->s.scratch, SPIPE__SCRATCH_SIZE, "scratch"), 0);
    f->s.queue_config = config;
    f->s.hwqs_wanted = hwqs;
    for (unsigned i = 0; i < hwqs; i++)
        cr_assert_eq(spipe__hwq_make(&f->s.hwq[i], &config), 0);
    cr_assert_eq(spipe__bring_up(&f->s, (struct spipe__why){why, sizeof why}), 0, "%s", why);
    gate_force(&f->s.gate, SPIPE_STATE_NORMAL);
    f->exec.now = 0;
}

void adapter_fixture_init(struct adapter_fixture *f, enum hal_order order)
{
    init(f, order, AFU_IFV_IOARRIN, 1);
}

void adapter_fixture_init_sq(struct adapter_fixture *f, enum hal_order order)
{
    init(f, order, AFU_IFV_SQ, 1);
}

void adapter_fixture_init_hwqs(struct adapter_fixture *f, unsigned hwqs)
{
    init(f, HAL_ORDER_HOST, AFU_IFV_IOARRIN, hwqs);
}

void adapter_fixture_add_lun(struct adapter_fixture *f, struct spipe__lun like)
{
    struct spipe__lun *lun = &f->s.lun[f->s.lun_count];
    const uint8_t wwid[16] = {0x60, (uint8_t)(f->s.lun_count + 1)};

    cr_assert_eq(spipe__group_add_lun(&f->s, lun, wwid), 0);
    like.s = lun->s;
    like.global = lun->global;
    like.sibling = lun->sibling;
    *lun = like;
    f->s.lun_count++;
}

void adapter_fixture_forget_luns(struct adapter_fixture *f)
{
    spipe__lun_finish(&f->s);
    spipe__group_leave(&f->s);
    memset(f->s.lun, 0, sizeof f->s.lun);
    cr_assert_eq(spipe__group_join(&f->s, NULL), 0);
}

void adapter_fixture_fini(struct adapter_fixture *f)
{
    spipe__take_down(&f->s);
    hal_mem_release(f->s.dev, f->s.scratch);
    exec_free(f->s.exec, f->s.scratch, SPIPE__SCRATCH_SIZE);
    spipe__lun_finish(&f->s);
    spipe__group_leave(&f->s);
    spipe__locks_fini(&f->s);
    fake_afu_fini(&f->afu);
    cr_assert_eq(f->exec.blocks, 0);
}
