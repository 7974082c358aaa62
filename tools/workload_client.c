/* SPDX-License-Identifier: Apache-2.0 */
/* Setting one client up and tearing it down. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hal/support/bits.h"
#include "tools/stamp.h"
#include "tools/text.h"
#include "tools/workload_client.h"

#define READ_BACK_BYTES 65536u
#define SYNC_TRIES 3 /* -EAGAIN: AFU sync failed, call again */

uint32_t workload_buffer_bytes(const struct workload_config *config)
{
    uint32_t largest = block_mix_largest(&config->mix);

    return config->verify && largest < READ_BACK_BYTES ? READ_BACK_BYTES : largest;
}

static void *allocate(struct workload_client *c, size_t n, size_t size)
{
    return exec_alloc(c->load->session->exec, n * size, 64);
}

static void release(struct workload_client *c, void *p, size_t n, size_t size)
{
    exec_free(c->load->session->exec, p, n * size);
}

__attribute__((format(printf, 3, 4))) static int fail(struct workload_client *c, int rc,
                                                      const char *format, ...)
{
    va_list args;
    int n = snprintf(c->why, sizeof c->why, "client %u: ", c->number);

    va_start(args, format);
    vsnprintf(c->why + n, sizeof c->why - (size_t)n, format, args);
    va_end(args);
    return rc;
}

static struct hal_dev *device(const struct workload_client *c)
{
    return c->load->session->device[c->adapter];
}

static struct spipe *adapter(const struct workload_client *c)
{
    return c->load->session->spipe[c->adapter];
}

/* ---- memory -----------------------------------------------------------------------------------
 */

static int get_buffers(struct workload_client *c)
{
    unsigned depth = c->load->config->depth;
    uint32_t each = (uint32_t)hal_align_up(workload_buffer_bytes(c->load->config), 128);
    char name[24];
    int rc;

    c->memory_bytes = (size_t)depth * each;
    c->memory = exec_alloc(c->load->session->exec, c->memory_bytes, 4096);
    c->slots = allocate(c, depth, sizeof *c->slots);
    c->free_slots = allocate(c, depth, sizeof *c->free_slots);
    c->pending = allocate(c, depth, sizeof *c->pending);
    if (!c->memory || !c->slots || !c->free_slots || !c->pending)
        return fail(c, -ENOMEM, "not enough memory for %u buffers", depth);
    snprintf(name, sizeof name, "client %u data", c->number);
    rc = hal_mem_register(device(c), c->memory, c->memory_bytes, name);
    if (rc)
        return fail(c, rc, "its buffers cannot be registered (%s)", strerror(-rc));
    c->registered = true;
    for (unsigned i = 0; i < depth; i++) {
        c->slots[i].buffer = c->memory + (size_t)i * each;
        c->free_slots[c->free_count++] = depth - 1 - i;
    }
    return 0;
}

static void put_buffers(struct workload_client *c)
{
    unsigned depth = c->load->config->depth;

    if (c->registered)
        hal_mem_release(device(c), c->memory);
    release(c, c->pending, depth, sizeof *c->pending);
    release(c, c->free_slots, depth, sizeof *c->free_slots);
    release(c, c->slots, depth, sizeof *c->slots);
    exec_free(c->load->session->exec, c->memory, c->memory_bytes);
}

/* ---- context and virtual LUNs -----------------------------------------------------------------
 */

static int check_block_size(struct workload_client *c)
{
    const struct block_mix *mix = &c->load->config->mix;
    char text[TEXT_BYTES], lun_text[TEXT_BYTES];

    for (unsigned i = 0; i < mix->count; i++)
        if (mix->part[i].bytes % c->block_size)
            return fail(c, -EINVAL,
                        "I/O of %s does not fit LUN %u, whose blocks are %s: "
                        "choose multiples of that with --block",
                        text_size(text, mix->part[i].bytes), c->lun,
                        text_size(lun_text, c->block_size));
    return 0;
}

static int attach(struct workload_client *c)
{
    const struct workload_config *config = c->load->config;
    struct spipe_attach_options options = {.size = sizeof options};
    struct spipe_lun_info info;
    char name[24];
    int rc = spipe_lun_info(adapter(c), c->lun, &info);

    if (rc)
        return fail(c, rc, "adapter %u has no LUN %u", c->adapter, c->lun);
    c->block_size = info.block_size;
    c->stamp_bytes = config->tags ? STAMP_BYTES_MIN : info.block_size;
    rc = check_block_size(c);
    if (rc)
        return rc;
    snprintf(name, sizeof name, "client %u", c->number);
    rc = spipe_client_create(adapter(c), name, &c->client);
    if (rc)
        return fail(c, rc, "cannot be created (%s)", strerror(-rc));
    options.depth = config->depth;
    options.interrupts = config->interrupts;
    options.no_write = config->read_only;
    rc = spipe_attach(c->client, c->lun, &options, &c->ctx);
    if (rc)
        return fail(c, rc, "cannot attach to LUN %u of adapter %u (%s)", c->lun, c->adapter,
                    strerror(-rc));
    return 0;
}

/* Says what would help. */
static int no_room(struct workload_client *c, unsigned index)
{
    char want[TEXT_BYTES];

    return fail(c, -ENOSPC,
                "LUN %u of adapter %u has no room left for its virtual LUN %u of %s: choose fewer "
                "--clients or --handles, a smaller --size or larger LUNs",
                c->lun, c->adapter, index, text_size(want, c->load->config->bytes));
}

static int open_lun(struct workload_client *c, unsigned index)
{
    const struct workload_config *config = c->load->config;
    struct workload_lun *lun = &c->luns[index];
    uint64_t blocks = hal_div_up(config->bytes, SPIPE_API_BLOCK), last = 0;
    int rc = -EAGAIN;

    for (int i = 0; rc == -EAGAIN && i < SYNC_TRIES; i++)
        rc = spipe_open_virtual(c->ctx, c->lun, blocks, &lun->handle, &last);
    if (rc == -ENOSPC)
        return no_room(c, index);
    if (rc)
        return fail(c, rc, "cannot open virtual LUN %u (%s)", index, strerror(-rc));
    lun->open = true;
    if (last == SPIPE_NO_BLOCK || last + 1 < blocks)
        return no_room(c, index);
    lun->blocks = config->bytes / c->block_size;
    if (!config->verify)
        return 0;
    lun->state = allocate(c, lun->blocks, sizeof *lun->state);
    return lun->state ? 0 : fail(c, -ENOMEM, "not enough memory to remember its blocks");
}

int workload_client_set_up(struct workload_client *c)
{
    const struct workload_config *config = c->load->config;
    int rc = get_buffers(c);

    c->luns = allocate(c, config->handles, sizeof *c->luns);
    if (!rc && !c->luns)
        rc = fail(c, -ENOMEM, "not enough memory");
    if (!rc)
        rc = attach(c);
    for (unsigned i = 0; !rc && i < config->handles; i++)
        rc = open_lun(c, i);
    return rc;
}

static void close_luns(struct workload_client *c)
{
    for (unsigned i = 0; i < c->load->config->handles; i++) {
        struct workload_lun *lun = &c->luns[i];
        int rc = lun->open ? -EAGAIN : 0;

        for (int t = 0; rc == -EAGAIN && t < SYNC_TRIES; t++)
            rc = spipe_release(c->ctx, lun->handle);
        if (rc && !c->rc)
            c->rc = fail(c, rc, "cannot release virtual LUN %u (%s)", i, strerror(-rc));
        release(c, lun->state, lun->blocks, sizeof *lun->state);
    }
}

void workload_client_tear_down(struct workload_client *c)
{
    int rc = 0;

    if (c->luns)
        close_luns(c);
    if (c->ctx)
        rc = spipe_detach(c->ctx, c->lun);
    if (rc && !c->rc)
        c->rc = fail(c, rc, "cannot detach from LUN %u (%s)", c->lun, strerror(-rc));
    if (c->client)
        spipe_client_destroy(c->client);
    put_buffers(c);
    release(c, c->luns, c->load->config->handles, sizeof *c->luns);
}
