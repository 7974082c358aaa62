/* SPDX-License-Identifier: Apache-2.0 */
/* The cxl driver that is not there, over a simulated world (CX sections 3 to 8). The library proper
 * (libcxl_*.c) stands on its system calls (hal/cxl_kernel.h), and so may anybody else.
 *
 * Threads: all tables are under the lock of the world, which is never held across a wait. Loads and
 * stores take no lock: as with the real driver, nobody unmaps what another thread is using. The
 * model's callbacks only set a flag, or wake by a descriptor. */
#ifndef SIM_LIBCXL_STANDIN_H
#define SIM_LIBCXL_STANDIN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "hal/cxl_abi.h"
#include "hal/cxl_standin.h"
#include "hal/support/must_check.h"

#define STANDIN_MASTER_AREA UINT64_C(0x2100000) /* the whole register map (SL 1) */
#define STANDIN_WINDOW HAL_USER_WINDOW
#define STANDIN_ERROR_BUFFER 4096u
#define STANDIN_FILE_BUCKETS 256
#define STANDIN_IRQS 2048
#define STANDIN_ARRIVALS 32

struct standin_file;

/** A mapping of a problem-state area. Lies before the area, which itself is never backed by memory:
 * touching it is the SIGBUS of a mapping that is dead. */
struct standin_map {
    struct standin_map *next;
    struct standin_file *file; /* NULL: it was closed */
    size_t size;
    bool err_ff;
};

/** Events of a context that the driver holds (CX-71 to CX-73). */
struct standin_pending {
    uint64_t irq[STANDIN_IRQS / 64]; /* bit per number */
    bool storage, error;
    uint64_t address, dsisr, code;

    /* Instead, while a test has asked for the order of arrival. */
    unsigned arrivals;
    struct cxl_event arrival[STANDIN_ARRIVALS];
};

/** An open device node: one context. */
struct standin_file {
    struct standin_file *next;
    struct standin_card *card;
    struct hal_ctx *ctx; /* NULL: the card was reset below it, before it was attached */
    enum cxl_views view;
    int fd; /* an eventfd: readable when something is pending, or the context is closed */
    uint16_t element;
    bool attached;
    bool closed;        /* atomic: accesses take no lock */
    bool holds_element; /* until it is closed by the program, or the card is reset by force */
    struct cxl_ioctl_start_work work; /* as it was accepted; amr is the effective one */
    struct standin_pending pending;
    struct standin_map *maps;
};

enum standin_mode { STANDIN_MODE_NONE, STANDIN_MODE_DEDICATED, STANDIN_MODE_DIRECTED };
enum standin_image { STANDIN_LOAD_NONE, STANDIN_LOAD_USER, STANDIN_LOAD_FACTORY };

/** One card with its AFU, and what tests may change of it (standin_control.h). */
struct standin_card {
    unsigned number;
    struct hal_dev *dev;
    uint32_t news; /* atomic: the platform has something to tell */

    /* what the driver knows */
    bool offline;  /* the channel is frozen: nothing but EIO */
    bool probed;   /* false: unbound, or gone; there is no attribute */
    bool no_nodes; /* devices m, s, d were removed */
    bool gone;     /* for ever */
    bool resetting;
    unsigned files;
    struct hal_ctx *foreign; /* of another process */

    /* attributes that can be written */
    enum standin_mode mode;
    enum cxl_prefault_mode prefault;
    enum standin_image load_image;
    bool same_image;
    unsigned irqs_max;

    /* switches */
    unsigned irqs_min, irqs_limit;
    uint64_t uamor; /* of the threads that attach (CX-36) */
    unsigned api_version, api_compatible;
    bool no_err_ff, no_afu_id, denied, driver_bound, held, no_error_buffer;
    bool frozen; /* by control: nothing crosses the slot; atomic, as above */
    int refuse_attach;
    char other_name[24]; /* of an attribute of the AFU that says ... */
    char other_text[24]; /* ... this instead; no name: none */
    unsigned batch;      /* events that one read gives at most */
    bool arrival_order;
    uint64_t delay; /* ns that every call takes */
};

struct standin {
    pthread_mutex_t binding; /* of the two that follow */
    bool bound;              /* atomic for those who only look */
    struct cxl_standin_alone *alone;

    struct cxl_standin_world world;
    uint32_t lock; /* atomic */
    int dead;      /* an empty file: pages of it are not there */
    bool no_class, double_free;
    struct standin_card card[CXL_STANDIN_ADAPTERS_MAX];
    struct standin_file *file[STANDIN_FILE_BUCKETS];
};

/* ---- standin_world.c: the world below ---- */

/** The bound world; without one, makes its own. NULL if that fails. What the platform has told
 * meanwhile is taken up: the first thing in every call. */
struct standin *standin_enter(void);

/** The object itself, whether a world is bound or not. */
struct standin *standin_self(void);

/** The lock of the tables. It is held for a few table operations only, so that who finds it taken
 * lets others run instead of going to sleep; it is no scheduling point of fibers unless it is
 * taken, and the host of fibers may take it while none runs. */
void standin_lock(struct standin *s);
void standin_unlock(struct standin *s);

int standin_bind(const struct cxl_standin_world *world);
void standin_unbind(void);

/** Everything of a card as after its probe. */
void standin_card_defaults(struct standin *s, struct standin_card *card);

/* ---- standin_file.c: open, close, requests ---- */

/** The open file of a descriptor, or NULL. Under the lock. */
struct standin_file *standin_file(struct standin *s, int fd);

int standin_open(const char *node);
int standin_close(int fd);
int standin_ioctl(int fd, unsigned long request, void *argument);

/** Releases a file. Under the lock. */
void standin_file_end(struct standin *s, struct standin_file *f);

/** Lets the call take the time that a test has asked for. */
void standin_delay(struct standin *s, const struct standin_card *card);
void standin_delay_file(struct standin *s, int fd);

/* ---- standin_node.c: names of devices ---- */

struct standin_node {
    struct standin_card *card;
    char letter; /* m, s, d; 0: the AFU itself */
};

/** Finds "afu0.0m" (or d, s, or without a letter) among the cards of the world; false: no such
 * card. Whether the node is there says standin_node_there(). */
bool standin_node_parse(struct standin *s, const char *name, struct standin_node *out);
bool standin_node_there(const struct standin_node *node);

/* ---- standin_event.c: events, descriptors ---- */

ssize_t standin_read(int fd, void *buffer, size_t size);

/** Takes what the model has for a file. Under the lock. Returns 0, or what a read of it gave. */
int standin_pull(struct standin *s, struct standin_file *f);

/** Makes the descriptor of a file readable if it has something to say. Under the lock. */
void standin_refresh(struct standin *s, struct standin_file *f);

/** Adds an event to what is pending. Under the lock. */
void standin_event_add(struct standin_file *f, const struct cxl_event *ev);

/** Wakes whoever waits for a descriptor. Callback of the model, too. */
void standin_kick(void *file);

/* ---- standin_eeh.c: the platform ---- */

/** Does what the driver does about everything that the platform has told of a card. */
void standin_take_up(struct standin *s, struct standin_card *card);

/** Callback of the model. */
void standin_news(void *card);

/** Ends all contexts of a card; their process elements stay taken (CX-101). Under the lock. */
void standin_detach_all(struct standin *s, struct standin_card *card);

/** Ends all contexts of a card, and takes their process elements away as well. Under the lock. */
void standin_forget_all(struct standin *s, struct standin_card *card);

/* ---- standin_map.c: problem-state areas ---- */

int standin_map(int fd, size_t size, void **out);
int standin_unmap(void *map, size_t size);
uint64_t standin_load(void *map, uint64_t offset);
void standin_store(void *map, uint64_t offset, uint64_t value);

/** The same without the SIGBUS of a dead mapping: false says that there would be one. */
bool standin_load_alive(void *map, uint64_t offset, uint64_t *value);
bool standin_store_alive(void *map, uint64_t offset, uint64_t value);

/** Ends in SIGBUS with BUS_ADRERR for an address of the area, as a dead mapping does. */
void standin_touch(void *map, uint64_t offset);

/** The mappings of a file that is closed are dead. Under the lock. */
void standin_maps_orphan(struct standin_file *f);

/* ---- standin_attribute.c, standin_tree.c: attribute files ---- */

ssize_t standin_attribute_read(const char *path, void *buffer, size_t size);
int standin_attribute_write(const char *path, const void *bytes, size_t size);
ssize_t standin_link_read(const char *path, char *target, size_t size);
int standin_list(const char *directory, unsigned i, char *name, size_t size);

/* ---- standin_kernel.c ---- */

extern const struct cxl_kernel standin_kernel;

#endif
