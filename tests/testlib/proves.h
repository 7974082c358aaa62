/* PROVES(AD_46a): the requirement AD-46a of docs/spec is proved by the assertion beside it.
 *
 * Write it after the assertion, so that it is reached only when that held. The id is reported once
 * for each source line and test, as one line "suite::name AD-46a", appended in one write to the
 * file named by SPIPE_PROVES_FILE, else to proves.txt among the test's undeclared outputs, else
 * nowhere. tools/test_summary.py counts it only when that test passed. Safe in forked children and
 * in threads. A test function that names more than five ids needs a comment "PROVES-MANY: reason"
 * (docs/requirements.c). */
#ifndef SPIPE_TESTS_TESTLIB_PROVES_H
#define SPIPE_TESTS_TESTLIB_PROVES_H

#define PROVES(id)                                                                                 \
    do {                                                                                           \
        static const void *proves_told_;                                                           \
        proves_report(&proves_told_, #id);                                                         \
    } while (0)

/* What the macro calls: told remembers the test that reported from this line last. */
void proves_report(const void **told, const char *id);

#endif
