/* SPDX-License-Identifier: Apache-2.0 */
/* One FC port and what it leads to: its link, registers and serial stages, the places on a medium.
 * Included through sim_afu.h. */
#ifndef SIM_AFU_SIM_PORT_H
#define SIM_AFU_SIM_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/sim_engine.h"
#include "sim/sim_media.h"

#define SIM_PORTS_MAX 4
#define SIM_LUN_TABLE_WORDS 512

struct sim_afu;
struct sim_cmd;

/** A resource that serves one after the other, in order of request. */
struct sim_stage {
    uint64_t free; /* cycle from which it serves the next (event engine) */
    uint16_t id;   /* SIM_STAGE_... */
};

enum {                     /* ids */
       SIM_STAGE_PORT = 0, /* three a port: command frames, data in, data out */
       SIM_STAGE_CARD = 3 * SIM_PORTS_MAX,
       SIM_STAGE_LUN,
       SIM_STAGES = SIM_STAGE_LUN + SIM_MEDIA_LUNS_MAX
};

/** Online means logged in at the target; in the states behind GOING_UP the link is up, but the port
 * is not logged in. */
enum sim_link_state {
    SIM_LINK_ONLINE,
    SIM_LINK_GOING_DOWN,
    SIM_LINK_OFFLINE,
    SIM_LINK_GOING_UP,
    SIM_LINK_FLOGI, /* waits for the fabric's answer */
    SIM_LINK_PLOGI, /* waits for the target's answer */
    SIM_LINK_LOGGED_OUT,
};

/** The registers of a port that hold a value of their own, and those that are computed. */
enum sim_port_reg {
#define SIM_PORT_REG(name, access) SIM_FC_##name,
#include "sim/sim_port_regs.def"
#undef SIM_PORT_REG
    SIM_PORT_REG_COUNT
};

/** An armed fault injection of a port (SL 17.4). */
struct sim_injection {
    uint8_t type; /* enum afu_fc_errinj, 0 = none */
    bool parity, always;
    uint16_t interval; /* commands of its kind to let pass before one is hit */
    uint16_t left;
};

/** One FC port: link machine, registers, pipeline stages. */
struct sim_port {
    struct sim_afu *afu;
    uint8_t number;
    uint8_t link;
    bool shutdown_active, shutdown_complete, shutdown_abrupt;
    struct sim_injection injection;
    struct sim_stage command, in, out;
    struct sim_event link_event, shutdown_event;
    uint64_t reg[SIM_PORT_REG_COUNT]; /* unused where sim_register_port.c computes */
    uint64_t lasting_errors;          /* bits of FC_ERROR that come back until the link is reset */
    uint64_t echo_since;              /* cycle up to which the loop-back counters are up to date */
    bool user_reset;                  /* by FC_CONFIG, until the link is up again */
    bool comes_back;                  /* when it is down */
    bool fell;                        /* the link, not only the login, since it was online */
    uint32_t flaps;                   /* planned: so many times it falls when it is logged in */
    bool waits_for_config;            /* the link is up, FC_CONFIG says not to log in */
    uint64_t lun_table[SIM_LUN_TABLE_WORDS];
};

/** Operations of one LUN on the medium. */
struct sim_media_stage {
    struct sim_stage interval; /* from one to the next */
    uint32_t busy;
    struct sim_cmd *first, *last; /* waiting */
};

/* sim_port.c: c->part and c->ports are set */
void sim_port_command(struct sim_cmd *c);
bool sim_port_for_task(struct sim_cmd *c);    /* c->ports is set; false: none is up, it has ended */
void sim_port_data_out(struct sim_cmd *c);    /* the data are on the card: link, then medium */
void sim_port_leave_media(struct sim_cmd *c); /* a command that ends early gives its place back */
void sim_media_stage_reset(struct sim_afu *a, unsigned lun); /* nothing of it is in flight */
bool sim_media_place(const struct sim_afu *a, unsigned lun); /* somebody waits and may start */
void sim_media_start_waiting(struct sim_afu *a);
uint64_t sim_ports_present(const struct sim_afu *a);

/* sim_register_port.c */
void sim_port_reset(struct sim_port *p, struct sim_afu *a, unsigned number);

/* sim_link.c */
void sim_link_offline(struct sim_port *p);
void sim_link_online(struct sim_port *p);
void sim_link_reset(struct sim_port *p, bool comes_back);
void sim_link_configured(struct sim_port *p);             /* FC_CONFIG may now ask to log in */
void sim_link_logout(struct sim_port *p, uint64_t again); /* by the target, for so many cycles */
void sim_port_shutdown(struct sim_port *p, bool abrupt);
bool sim_link_is_up(const struct sim_port *p);
bool sim_link_usable(const struct sim_port *p); /* for a new command */
void sim_links_settle(struct sim_afu *a); /* something that sim_link_quiet() knows has changed */
uint8_t sim_link_lost(const struct sim_port *p); /* fc_rc that ends commands in flight, or 0 */

/* sim_frame.c: what crosses the link of a port, counted (SL 5.3) */
void sim_frame_login(struct sim_port *p);
void sim_frame_login_reply(struct sim_port *p);
void sim_frame_link_lost(struct sim_port *p);
void sim_frame_port_reset(struct sim_port *p);
void sim_frame_command(const struct sim_cmd *c);
void sim_frame_accepted(const struct sim_cmd *c);       /* the target works on it */
bool sim_frame_data(struct sim_cmd *c, uint64_t bytes); /* true: damaged, the command has ended */
void sim_frame_response(const struct sim_cmd *c);
void sim_frame_aborted(const struct sim_cmd *c);
void sim_frame_timed_out(const struct sim_cmd *c);
void sim_port_error(struct sim_port *p, uint64_t bits);         /* happens, once */
void sim_port_error_lasting(struct sim_port *p, uint64_t bits); /* until the link is reset */
void sim_port_error_clear(struct sim_port *p, uint64_t bits);

/* sim_inject.c: fault injection by registers (SL 17.4) */
void sim_inject_arm(struct sim_port *p);
void sim_inject_parity(struct sim_port *p);
bool sim_inject(struct sim_cmd *c); /* true: the command has ended */
static inline bool sim_inject_armed(const struct sim_port *p)
{
    return (p->injection.type | p->injection.parity) != 0;
}

/* sim_echo.c: loop-back test */
void sim_echo_settle(struct sim_port *p); /* brings the counters up to now */

#endif
