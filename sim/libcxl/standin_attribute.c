/* SPDX-License-Identifier: Apache-2.0 */
/* Attribute files: what they say, and what writing them does (CX section 7). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/libcxl/standin.h"
#include "sim/libcxl/standin_tree.h"

#define MAJOR 240u /* of character devices: from the range for local use */
#define MINORS_OF_A_CARD 13u
#define IBM 0x1014u
#define CLASS_STORAGE 0x010000u
#define TEXT 64 /* bytes, of the longest value that is text */

/* Text of a value, or of as much as fits: its length, or a negative errno. */
typedef ssize_t show_fn(const struct standin_object *o, char *text, size_t size);
/* Under the lock, which it may give up meanwhile. */
typedef int store_fn(struct standin *s, struct standin_card *card, const char *text);

static ssize_t number(char *text, size_t size, uint64_t value)
{
    return snprintf(text, size, "%llu\n", (unsigned long long)value);
}

static int parse(const char *text, long *value)
{
    char *end;

    errno = 0;
    *value = strtol(text, &end, 0);
    return errno || end == text || (*end && *end != '\n') ? -EINVAL : 0;
}

/* Which of the names a text is; -1: none. */
static int choice(const char *text, const char *const *names, int count)
{
    size_t n = strcspn(text, "\n");

    for (int i = 0; i < count; i++)
        if (strlen(names[i]) == n && !strncmp(text, names[i], n))
            return i;
    return -1;
}

static bool in_use(const struct standin_card *card) { return card->files || card->foreign; }

/* ---- AFU ---------------------------------------------------------------------------------------
 */

static ssize_t show_api_version(const struct standin_object *o, char *text, size_t size)
{
    return number(text, size, o->card->api_version);
}

static ssize_t show_api_compatible(const struct standin_object *o, char *text, size_t size)
{
    return number(text, size, o->card->api_compatible);
}

static ssize_t show_irqs_min(const struct standin_object *o, char *text, size_t size)
{
    return number(text, size, o->card->irqs_min);
}

static ssize_t show_irqs_max(const struct standin_object *o, char *text, size_t size)
{
    return number(text, size, o->card->irqs_max);
}

static int store_irqs_max(struct standin *s, struct standin_card *card, const char *text)
{
    long value;

    (void)s;
    if (parse(text, &value) || value < (long)card->irqs_min || value > (long)card->irqs_limit)
        return -EINVAL;
    card->irqs_max = (unsigned)value;
    return 0;
}

static ssize_t show_window(const struct standin_object *o, char *text, size_t size)
{
    (void)o;
    return number(text, size, STANDIN_WINDOW);
}

static const char *const modes[] = {"none", "dedicated_process", "afu_directed"};

static ssize_t show_mode(const struct standin_object *o, char *text, size_t size)
{
    return snprintf(text, size, "%s\n", modes[o->card->mode]);
}

static int store_mode(struct standin *s, struct standin_card *card, const char *text)
{
    int mode = choice(text, modes, 3);

    (void)s;
    if (mode < 0)
        return -EINVAL;
    if (in_use(card))
        return -EBUSY;
    card->mode = (enum standin_mode)mode;
    return 0;
}

static ssize_t show_modes_supported(const struct standin_object *o, char *text, size_t size)
{
    (void)o;
    return snprintf(text, size, "dedicated_process\nafu_directed\n");
}

static const char *const prefaults[] = {"none", "work_element_descriptor", "all"};

static ssize_t show_prefault(const struct standin_object *o, char *text, size_t size)
{
    return snprintf(text, size, "%s\n", prefaults[o->card->prefault]);
}

static int store_prefault(struct standin *s, struct standin_card *card, const char *text)
{
    int mode = choice(text, prefaults, 3);

    (void)s;
    if (mode < 0)
        return -EINVAL;
    card->prefault = (enum cxl_prefault_mode)mode;
    return 0;
}

/* Whatever is written. Attaching finds the AFU busy meanwhile (CX-34). */
static int store_reset(struct standin *s, struct standin_card *card, const char *text)
{
    int rc;

    (void)text;
    if (in_use(card) || card->resetting)
        return -EBUSY;
    if (card->offline || card->frozen)
        return -EIO;
    card->resetting = true;
    standin_unlock(s);
    rc = hal_afu_reset(card->dev);
    standin_lock(s);
    card->resetting = false;
    return rc;
}

/* ---- devices m, s, d ---------------------------------------------------------------------------
 */

static ssize_t show_dev(const struct standin_object *o, char *text, size_t size)
{
    unsigned minor = o->kind == STANDIN_DEDICATED ? 1 : o->kind == STANDIN_MASTER ? 2 : 3;

    return snprintf(text, size, "%u:%u\n", MAJOR, o->card->number * MINORS_OF_A_CARD + minor);
}

static ssize_t show_area(const struct standin_object *o, char *text, size_t size)
{
    (void)o;
    return number(text, size, STANDIN_MASTER_AREA);
}

static ssize_t show_window_offset(const struct standin_object *o, char *text, size_t size)
{
    (void)o;
    return number(text, size, 0);
}

/* ---- configuration record ----------------------------------------------------------------------
 */

static ssize_t hexadecimal(char *text, size_t size, unsigned value)
{
    return snprintf(text, size, "0x%x\n", value);
}

static ssize_t show_vendor(const struct standin_object *o, char *text, size_t size)
{
    (void)o;
    return hexadecimal(text, size, IBM);
}

static ssize_t show_device(const struct standin_object *o, char *text, size_t size)
{
    return hexadecimal(text, size, o->card->dev->card);
}

static ssize_t show_class(const struct standin_object *o, char *text, size_t size)
{
    (void)o;
    return hexadecimal(text, size, CLASS_STORAGE);
}

/* ---- card --------------------------------------------------------------------------------------
 */

static ssize_t show_caia(const struct standin_object *o, char *text, size_t size)
{
    (void)o;
    return snprintf(text, size, "1.0\n");
}

static ssize_t show_one(const struct standin_object *o, char *text, size_t size)
{
    (void)o;
    return number(text, size, 1);
}

static ssize_t show_zero(const struct standin_object *o, char *text, size_t size)
{
    (void)o;
    return number(text, size, 0);
}

static ssize_t show_image(const struct standin_object *o, char *text, size_t size)
{
    (void)o;
    return snprintf(text, size, "user\n");
}

static const char *const images[] = {"none", "user", "factory"};

static ssize_t show_load_image(const struct standin_object *o, char *text, size_t size)
{
    return snprintf(text, size, "%s\n", images[o->card->load_image]);
}

static int store_load_image(struct standin *s, struct standin_card *card, const char *text)
{
    int image = choice(text, images, 3);

    (void)s;
    if (image < 0)
        return -EINVAL;
    card->load_image = (enum standin_image)image;
    return 0;
}

static ssize_t show_same_image(const struct standin_object *o, char *text, size_t size)
{
    return number(text, size, o->card->same_image);
}

static int store_same_image(struct standin *s, struct standin_card *card, const char *text)
{
    long value;

    (void)s;
    if (parse(text, &value) || value < 0 || value > 1)
        return -EINVAL;
    card->same_image = value;
    return hal_reload_same_image(card->dev, card->same_image);
}

/* 1: unless there are contexts; -1: whoever uses it. A forced one takes the contexts out of the
 * AFU for good, or it could not be reset; their process elements are free again. */
static int store_card_reset(struct standin *s, struct standin_card *card, const char *text)
{
    long value;

    if (parse(text, &value) || (value != 1 && value != -1) || card->same_image)
        return -EINVAL;
    if (value == 1 && in_use(card))
        return -EBUSY;
    standin_forget_all(s, card);
    return store_reset(s, card, text);
}

/* ---- the table ---------------------------------------------------------------------------------
 */

static const struct attribute {
    enum standin_kind kind;
    const char *name;
    show_fn *show;   /* NULL: cannot be read */
    store_fn *store; /* NULL: cannot be written */
} attributes[] = {
    {STANDIN_AFU, "api_version", show_api_version, NULL},
    {STANDIN_AFU, "api_version_compatible", show_api_compatible, NULL},
    {STANDIN_AFU, "irqs_min", show_irqs_min, NULL},
    {STANDIN_AFU, "irqs_max", show_irqs_max, store_irqs_max},
    {STANDIN_AFU, "mmio_size", show_window, NULL},
    {STANDIN_AFU, "mode", show_mode, store_mode},
    {STANDIN_AFU, "modes_supported", show_modes_supported, NULL},
    {STANDIN_AFU, "prefault_mode", show_prefault, store_prefault},
    {STANDIN_AFU, "reset", NULL, store_reset},
    {STANDIN_MASTER, "mmio_size", show_area, NULL},
    {STANDIN_MASTER, "pp_mmio_len", show_window, NULL},
    {STANDIN_MASTER, "pp_mmio_off", show_window_offset, NULL},
    {STANDIN_MASTER, "dev", show_dev, NULL},
    {STANDIN_SLAVE, "dev", show_dev, NULL},
    {STANDIN_DEDICATED, "dev", show_dev, NULL},
    {STANDIN_RECORD, "vendor", show_vendor, NULL},
    {STANDIN_RECORD, "device", show_device, NULL},
    {STANDIN_RECORD, "class", show_class, NULL},
    {STANDIN_CARD, "caia_version", show_caia, NULL},
    {STANDIN_CARD, "psl_revision", show_one, NULL},
    {STANDIN_CARD, "base_image", show_one, NULL},
    {STANDIN_CARD, "image_loaded", show_image, NULL},
    {STANDIN_CARD, "psl_timebase_synced", show_one, NULL},
    {STANDIN_CARD, "tunneled_ops_supported", show_zero, NULL},
    {STANDIN_CARD, "load_image_on_perst", show_load_image, store_load_image},
    {STANDIN_CARD, "perst_reloads_same_image", show_same_image, store_same_image},
    {STANDIN_CARD, "reset", NULL, store_card_reset},
    {STANDIN_PCI, "vendor", show_vendor, NULL},
    {STANDIN_PCI, "device", show_device, NULL},
    {STANDIN_PCI, "numa_node", show_zero, NULL},
};

static const struct attribute *find(const struct standin_object *o, const char *name)
{
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        if (attributes[i].kind == o->kind && !strcmp(attributes[i].name, name))
            return &attributes[i];
    return NULL;
}

/* ---- binary files ------------------------------------------------------------------------------
 */

static ssize_t put(void *buffer, size_t size, const void *bytes, size_t n)
{
    n = n < size ? n : size;
    memcpy(buffer, bytes, n);
    return (ssize_t)n;
}

/* The model's AFU writes nothing into its error buffer. */
static ssize_t read_error_buffer(void *buffer, size_t size)
{
    size = size < STANDIN_ERROR_BUFFER ? size : STANDIN_ERROR_BUFFER;
    memset(buffer, 0, size);
    return (ssize_t)size;
}

static ssize_t read_config(const struct standin_card *card, void *buffer, size_t size)
{
    uint8_t config[256] = {IBM & 0xFF, IBM >> 8, card->dev->card & 0xFF, card->dev->card >> 8};

    config[0x0A] = CLASS_STORAGE >> 8 & 0xFF;
    config[0x0B] = CLASS_STORAGE >> 16;
    return put(buffer, size, config, sizeof config);
}

static ssize_t read_vpd(const struct standin_card *card, void *buffer, size_t size)
{
    size_t length;
    int rc;

    if (card->denied)
        return -EACCES; /* for root only */
    rc = hal_vpd_read(card->dev, buffer, size, &length);
    return rc ? rc : (ssize_t)length;
}

static ssize_t read_binary(const struct standin_object *o, const char *name, void *buffer,
                           size_t size)
{
    if (o->kind == STANDIN_AFU && !strcmp(name, "afu_err_buff") && !o->card->no_error_buffer)
        return read_error_buffer(buffer, size);
    if (o->kind == STANDIN_PCI && !strcmp(name, "vpd"))
        return read_vpd(o->card, buffer, size);
    if ((o->kind == STANDIN_PCI || o->kind == STANDIN_RECORD) && !strcmp(name, "config"))
        return o->card->denied ? -EACCES : read_config(o->card, buffer, size);
    return -ENOENT;
}

/* ---- the two system calls ----------------------------------------------------------------------
 */

static ssize_t read_file(struct standin *s, const char *path, void *buffer, size_t size)
{
    const struct attribute *a;
    struct standin_object o;
    const char *name;
    char text[TEXT];
    ssize_t n;

    if (!standin_resolve(s, path, &o, &name))
        return -ENOENT;
    if (!*name)
        return -EISDIR;
    if (size == 0)
        buffer = text; /* who asks whether a file is there may have none */
    a = find(&o, name);
    if (!a)
        return read_binary(&o, name, buffer, size);
    if (!a->show)
        return -EACCES;
    if (o.kind == STANDIN_AFU && !strcmp(name, o.card->other_name))
        n = snprintf(text, sizeof text, "%s\n", o.card->other_text);
    else
        n = a->show(&o, text, sizeof text);
    return put(buffer, size, text, (size_t)n);
}

ssize_t standin_attribute_read(const char *path, void *buffer, size_t size)
{
    struct standin *s = standin_enter();
    ssize_t n;

    if (!s)
        return -ENOENT;
    standin_lock(s);
    n = read_file(s, path, buffer, size);
    standin_unlock(s);
    return n;
}

static int write_file(struct standin *s, const char *path, const char *text)
{
    const struct attribute *a;
    struct standin_object o;
    const char *name;

    if (!standin_resolve(s, path, &o, &name))
        return -ENOENT;
    if (!*name)
        return -EISDIR;
    a = find(&o, name);
    if (!a)
        return -ENOENT;
    if (!a->store || o.card->denied)
        return -EACCES;
    return a->store(s, o.card, text);
}

int standin_attribute_write(const char *path, const void *bytes, size_t size)
{
    struct standin *s = standin_enter();
    char text[TEXT];
    int rc;

    if (!s)
        return -ENOENT;
    if (size >= sizeof text)
        return -EINVAL;
    memcpy(text, bytes, size);
    text[size] = '\0';
    standin_lock(s);
    rc = write_file(s, path, text);
    standin_unlock(s);
    return rc;
}
