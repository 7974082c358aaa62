/* SPDX-License-Identifier: Apache-2.0 */
/* Where the names of a session's virtual LUNs are: in the media, or in a file. A card has no
 * media, so it has the file of its machine (docs/decisions/0015-names-on-a-card.md). */
#ifndef TOOLS_SESSION_NAMES_H
#define TOOLS_SESSION_NAMES_H

#include <stddef.h>

#include "hal/support/must_check.h"

struct hal_record_store;
struct session;

/** Opens the file that config.names asks for, or, with a card, the machine's; sets s->names_path
 * and s->names. Nothing to do in other sessions. The media are open, the adapters are not. Returns
 * 0, or a negative errno with a sentence in why; what is not a file of names is refused here. */
HAL_MUST_CHECK int session_names_open(struct session *s, char *why, size_t size);

/** Undoes it. Safe for a session that has none. */
void session_names_close(struct session *s);

/** The store for an adapter, in *out: that of the file, else that of its media. Refuses media that
 * have names of their own beside a file, since their blocks would be given away. Called in the
 * session's first thread. Returns as session_names_open(). */
HAL_MUST_CHECK int session_names_store(struct session *s, unsigned adapter,
                                       struct hal_record_store **out, char *why, size_t size);

/** The file that names are in, for sentences: that of names, else the media file of adapter 0. */
const char *session_names_where(const struct session *s);

#define SESSION_REPEAT_BYTES 512

/** The options that lead another subcommand to the same adapter and names, each with a blank in
 * front: " --media disk.spm", " --backend capi --names names". Returns buf. */
const char *session_repeat(const struct session *s, char buf[SESSION_REPEAT_BYTES]);

#endif
