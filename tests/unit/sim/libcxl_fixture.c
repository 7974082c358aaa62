/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/sim/libcxl_fixture.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/sim/sim_standin.h"

static struct conf_sim sim;

void libcxl_up(unsigned adapters)
{
    struct sim_host_config config = {.seed = 1, .adapters = adapters, .trace = true};
    struct cxl_standin_world world;

    conf_sim_up(&sim, &config);
    sim_standin_world(sim.host, &world);
    cr_assert_eq(cxl_standin()->bind(&world), 0);
}

void libcxl_down(void)
{
    cxl_standin()->unbind();
    conf_sim_down(&sim);
}

struct conf_sim *libcxl_sim(void) { return &sim; }

void libcxl_run(void (*body)(void *)) { conf_sim_run(&sim, body, NULL); }

const struct cxl_kernel *libcxl_kernel(void) { return cxl_standin()->kernel; }

void libcxl_say(const char *words)
{
    char why[200] = "";

    cr_assert_eq(cxl_standin()->control(words, why, sizeof why), 0, "%s", why);
}

struct cxl_afu_h *libcxl_open(const char *node)
{
    char path[64];
    struct cxl_afu_h *afu;

    snprintf(path, sizeof path, "%s", node);
    afu = cxl_afu_open_dev(path);
    cr_assert(afu, "%s: errno %d", node, errno);
    return afu;
}

struct cxl_afu_h *libcxl_attached(const char *node, bool err_ff)
{
    struct cxl_afu_h *afu = libcxl_open(node);
    struct cxl_ioctl_start_work work = {.flags = CXL_START_WORK_NUM_IRQS, .num_interrupts = 4};

    if (err_ff)
        work.flags |= CXL_START_WORK_ERR_FF;
    cr_assert_eq(cxl_afu_attach_work(afu, &work), 0, "errno %d", errno);
    return afu;
}

struct cxl_afu_h *libcxl_mapped(const char *node, bool err_ff)
{
    struct cxl_afu_h *afu = libcxl_attached(node, err_ff);

    cr_assert_eq(cxl_mmio_map(afu, CXL_MMIO_BIG_ENDIAN), 0, "errno %d", errno);
    return afu;
}

const char *libcxl_text(const char *path)
{
    static char text[128];
    ssize_t n = libcxl_kernel()->attribute_read(path, text, sizeof text - 1);

    cr_assert(n >= 0, "%s: %zd", path, n);
    text[n] = '\0';
    return text;
}

int libcxl_write(const char *path, const char *text)
{
    return libcxl_kernel()->attribute_write(path, text, strlen(text));
}

int libcxl_death(void (*body)(void))
{
    int status;
    pid_t child;

    fflush(NULL);
    child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        struct rlimit none = {0, 0};

        signal(SIGBUS, SIG_DFL);
        signal(SIGABRT, SIG_DFL);
        signal(SIGSEGV, SIG_DFL);
        setrlimit(RLIMIT_CORE, &none);
        if (!freopen("/dev/null", "w", stderr))
            _exit(99);
        body();
        _exit(0);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}
