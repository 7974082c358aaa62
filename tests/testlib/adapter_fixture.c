/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/testlib/adapter_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

static void init(struct adapter_fixture *f, enum hal_order order, uint64_t modes)
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
    exec_mutex_init(f->s.exec, &f->s.control, "control");
    exec_mutex_init(f->s.exec, &f->s.internal, "internal");
    spipe__lun_table_init(&f->s);
    f->s.scratch = exec_alloc(f->s.exec, SPIPE__SCRATCH_SIZE, 128);
    cr_assert_eq(hal_mem_register(f->s.dev, f->s.scratch, SPIPE__SCRATCH_SIZE, "scratch"), 0);
    cr_assert_eq(spipe__queue_init(&f->s.queue, f->s.exec, f->s.dev, &config), 0);
    cr_assert_eq(spipe__bring_up(&f->s, (struct spipe__why){why, sizeof why}), 0, "%s", why);
    f->exec.now = 0;
}

void adapter_fixture_init(struct adapter_fixture *f, enum hal_order order)
{
    init(f, order, AFU_IFV_IOARRIN);
}

void adapter_fixture_init_sq(struct adapter_fixture *f, enum hal_order order)
{
    init(f, order, AFU_IFV_SQ);
}

void adapter_fixture_fini(struct adapter_fixture *f)
{
    spipe__take_down(&f->s);
    spipe__queue_fini(&f->s.queue);
    hal_mem_release(f->s.dev, f->s.scratch);
    exec_free(f->s.exec, f->s.scratch, SPIPE__SCRATCH_SIZE);
    exec_mutex_fini(f->s.exec, &f->s.internal);
    exec_mutex_fini(f->s.exec, &f->s.control);
    fake_afu_fini(&f->afu);
    cr_assert_eq(f->exec.blocks, 0);
}
