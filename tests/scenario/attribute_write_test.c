/* SPDX-License-Identifier: Apache-2.0 */
/* What writing an attribute does to an adapter that has clients. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "hal/exec.h"
#include "sim/sim_media.h"
#include "tests/testlib/proves.h"
#include "tests/testlib/stack.h"

TestSuite(attribute_write, .timeout = 60);

static void run(void (*body)(struct stack *, void *))
{
    struct sim_media *media = stack_media(4);

    stack_run(&(struct stack_setup){.seed = 1, .media = media}, body, NULL);
    sim_media_close(media);
}

static void reads(struct stack *s, const char *name, const char *expected)
{
    char text[SPIPE_ATTRIBUTE_BYTES + 1];

    cr_assert_eq(spipe_attribute_read(s->adapter, name, 0, text), 0, "%s", name);
    cr_assert_str_eq(text, expected, "%s: %s", name, text);
}

static int writes(struct stack *s, const char *name, const char *text)
{
    return spipe_attribute_write(s->adapter, name, text);
}

/* D-13: contexts are told, requests are waited for, what is in use is refused. */
static void lun_mode(struct stack *s, void *arg)
{
    struct stack_client c;
    struct spipe_lun_info info;
    uint32_t handle;
    bool recovered;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    handle = stack_open(&c, 0, 1);
    cr_assert_eq(writes(s, "lun_mode", "1"), -EBUSY, "a handle needs its LUN");
    reads(s, "lun_mode", "0\n");
    cr_assert_not(spipe_ctx_lost(c.ctx));
    cr_assert_eq(spipe_release(c.ctx, handle), 0);
    cr_assert_eq(writes(s, "lun_mode", "1\n"), 0);
    reads(s, "lun_mode", "1\n");
    cr_assert(spipe_ctx_lost(c.ctx));
    reads(s, "mode", "legacy\n"); /* an external one, which is behind no port now */
    cr_assert_eq(spipe_lun_info(s->adapter, 2, &info), 0, "the internal one");
    cr_assert_eq(info.block_size, 512u);
    cr_assert_eq(writes(s, "lun_mode", "0"), 0);
    reads(s, "mode", "superpipe\n");
    cr_assert_eq(spipe_recover(c.ctx, &recovered), 0);
    cr_assert(recovered);
    spipe_client_destroy(c.client);
}

Test(attribute_write, lun_mode)
{
    run(lun_mode);
    PROVES(AD_201);
    PROVES(D_13);
}

static void num_hwqs(struct stack *s, void *arg)
{
    struct stack_client c;

    (void)arg;
    stack_client(s, &c, 0, 8, false);
    cr_assert_eq(writes(s, "num_hwqs", "3"), 0);
    reads(s, "num_hwqs", "3\n");
    cr_assert(spipe_ctx_lost(c.ctx), "that was a reset");
    cr_assert_eq(writes(s, "num_hwqs", "+100\n"), 0);
    reads(s, "num_hwqs", "8\n");
    cr_assert_eq(writes(s, "num_hwqs", "-1000"), 0);
    reads(s, "num_hwqs", "1\n"); /* D-14 */
    spipe_client_destroy(c.client);
}

Test(attribute_write, num_hwqs)
{
    run(num_hwqs);
    PROVES(AD_203);
    PROVES(D_14);
}

/* A slot of the LUN table, as the AFU has it. */
static void lun_table(struct stack *s, void *arg)
{
    struct stack_client c;
    char text[SPIPE_ATTRIBUTE_BYTES + 1];

    (void)arg;
    stack_client(s, &c, 1, 8, false);
    (void)stack_open(&c, 1, 1);
    cr_assert_eq(spipe_attribute_read(s->adapter, "port1_lun_table", 0, text), 0);
    cr_assert_eq(strncmp(text, "000: 0001000000000000\n001: ", 27), 0, "%.44s", text);
    spipe_client_destroy(c.client);
}

Test(attribute_write, lun_table)
{
    run(lun_table);
    PROVES(AD_206);
}
