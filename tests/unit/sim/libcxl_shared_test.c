/* SPDX-License-Identifier: Apache-2.0 */
/* libcxl.so.1 of the simulator as a program finds it that loads IBM's: names, version nodes, soname
 * (CX 1.1), and whether it works without any help. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hal/afu_regs.h"
#include "hal/cxl_abi.h"
#include "hal/cxl_standin.h"
#include "tests/testlib/proves.h"

#define LIBRARY "sim/libcxl/libcxl.so.1"

TestSuite(libcxl_shared, .timeout = 60);

static void *load(void)
{
    void *library = dlopen("./" LIBRARY, RTLD_NOW | RTLD_LOCAL);

    cr_assert(library, "%s", dlerror());
    return library;
}

/* ---- names -------------------------------------------------------------------------------------
 */

static const struct {
    const char *node, *name;
} symbols[] = {
#define CXL_SYMBOL(node, result, name, arguments) {#node, #name},
#include "hal/cxl_symbols.def"
#undef CXL_SYMBOL
};

/* LIBCXL_1_2 is written LIBCXL_1.2. */
static void node_name(const char *from, char to[16])
{
    snprintf(to, 16, "%s", from);
    if (strlen(to) > strlen("LIBCXL_1"))
        to[strlen("LIBCXL_1")] = '.';
}

Test(libcxl_shared, every_name_has_its_version)
{
    void *library = load();

    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        char node[16];

        node_name(symbols[i].node, node);
        cr_assert(dlvsym(library, symbols[i].name, node), "%s@%s", symbols[i].name, node);
    }
    cr_assert_null(dlvsym(library, "cxl_afu_attach_work", "LIBCXL_1"));
    cr_assert(dlvsym(library, "cxl_standin", "SUPERPIPE_1"));
    dlclose(library);
}

struct image {
    const uint8_t *bytes;
    size_t size;
};

static struct image read_image(void)
{
    int fd = open(LIBRARY, O_RDONLY);
    struct stat st;
    struct image image;

    cr_assert(fd >= 0 && fstat(fd, &st) == 0);
    image.size = (size_t)st.st_size;
    image.bytes = mmap(NULL, image.size, PROT_READ, MAP_PRIVATE, fd, 0);
    cr_assert_neq(image.bytes, MAP_FAILED);
    close(fd);
    return image;
}

static const Elf64_Shdr *section(const struct image *image, unsigned type)
{
    const Elf64_Ehdr *head = (const void *)image->bytes;
    const Elf64_Shdr *sections = (const void *)(image->bytes + head->e_shoff);

    for (unsigned i = 0; i < head->e_shnum; i++)
        if (sections[i].sh_type == type)
            return &sections[i];
    cr_assert(false, "no section of type %u", type);
    return NULL;
}

static const char *dynamic_string(const struct image *image, uint64_t offset)
{
    const Elf64_Ehdr *head = (const void *)image->bytes;
    const Elf64_Shdr *sections = (const void *)(image->bytes + head->e_shoff);
    const Elf64_Shdr *strings = &sections[section(image, SHT_DYNSYM)->sh_link];

    return (const char *)image->bytes + strings->sh_offset + offset;
}

/* Nothing else is exported that could stand for a name of the program's. */
Test(libcxl_shared, nothing_else_is_exported)
{
    struct image image = read_image();
    const Elf64_Shdr *table = section(&image, SHT_DYNSYM);
    const Elf64_Sym *symbol = (const void *)(image.bytes + table->sh_offset);
    unsigned exported = 0;

    for (size_t i = 0; i < table->sh_size / sizeof *symbol; i++)
        if (symbol[i].st_shndx != SHN_UNDEF && symbol[i].st_shndx != SHN_ABS) {
            cr_assert(!strncmp(dynamic_string(&image, symbol[i].st_name), "cxl_", 4), "%s",
                      dynamic_string(&image, symbol[i].st_name));
            exported++;
        }
    cr_assert_eq(exported, 66 + 1);
    PROVES(CX_150);
}

Test(libcxl_shared, its_soname_is_that_of_the_original)
{
    struct image image = read_image();
    const Elf64_Shdr *table = section(&image, SHT_DYNAMIC);
    const Elf64_Dyn *entry = (const void *)(image.bytes + table->sh_offset);
    const char *soname = "", *needed;

    for (; entry->d_tag != DT_NULL; entry++) {
        cr_assert_neq(entry->d_tag, DT_TEXTREL);
        if (entry->d_tag == DT_SONAME)
            soname = dynamic_string(&image, entry->d_un.d_val);
        if (entry->d_tag != DT_NEEDED)
            continue;
        needed = dynamic_string(&image, entry->d_un.d_val);
        cr_assert(!strncmp(needed, "libc.so", 7) || !strncmp(needed, "ld-linux", 8), "needs %s",
                  needed);
    }
    cr_assert_str_eq(soname, "libcxl.so.1");
}

/* ---- a program ---------------------------------------------------------------------------------
 */

#define FUNCTION(result, name, arguments)                                                          \
    result(*name) arguments;                                                                       \
    *(void **)(void *)&(name) = dlsym(library, #name);                                             \
    cr_assert(name)

Test(libcxl_shared, a_program_runs_over_it)
{
    void *library = load();
    FUNCTION(struct cxl_afu_h *, cxl_afu_open_dev, (char *));
    FUNCTION(int, cxl_afu_attach, (struct cxl_afu_h *, uint64_t));
    FUNCTION(int, cxl_mmio_map, (struct cxl_afu_h *, uint32_t));
    FUNCTION(int, cxl_mmio_read64, (struct cxl_afu_h *, uint64_t, uint64_t *));
    FUNCTION(void, cxl_afu_free, (struct cxl_afu_h *));
    FUNCTION(const struct cxl_standin *, cxl_standin, (void));
    char path[] = "/dev/cxl/afu0.0m";
    struct cxl_afu_h *afu = cxl_afu_open_dev(path);
    uint64_t version;

    cr_assert(afu);
    cr_assert_eq(cxl_afu_attach(afu, 0), 0);
    cr_assert_eq(cxl_mmio_map(afu, CXL_MMIO_BIG_ENDIAN), 0);
    cr_assert_eq(cxl_mmio_read64(afu, AFU_GLOBAL_BASE + AFU_GLOBAL_AFU_VERSION, &version), 0);
    cr_assert_eq(version, UINT64_C(0x53494D3030303031), "SIM00001");
    cxl_afu_free(afu);
    cxl_standin()->unbind(); /* ends the model's thread, so that the library can be unloaded */
    dlclose(library);
}
