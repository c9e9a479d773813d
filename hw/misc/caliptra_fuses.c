/*
 * Fuse file of a Caliptra 1.x core
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "hw/core/registerfields.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qnum.h"
#include "qobject/qstring.h"
#include "hw/misc/caliptra_file.h"
#include "hw/misc/caliptra_fuses.h"
#include "hw/misc/caliptra_map.h"
#include "caliptra_regs.h"

/* All fuses together are some 1000 digits */
#define FUSE_FILE_MAX   (64 * KiB)

QEMU_BUILD_BUG_ON(A_FUSE_UDS_SEED + 4 * CALIPTRA_FUSE_WORDS !=
                  A_FUSE_SOC_STEPPING_ID + 4);

/*
 * A fuse in the file: a string of 8 * @words hexadecimal digits, register
 * word 0 first, each word most significant digit first; or a number of @bits
 * bits.
 */
typedef struct CaliptraFuse {
    const char *key;
    uint16_t addr;
    uint8_t words;
    uint8_t bits;
} CaliptraFuse;

static const CaliptraFuse fuse_table[] = {
    { "uds_seed", A_FUSE_UDS_SEED, .words = 12 },
    { "field_entropy", A_FUSE_FIELD_ENTROPY, .words = 8 },
    { "key_manifest_pk_hash", A_FUSE_KEY_MANIFEST_PK_HASH, .words = 12 },
    { "key_manifest_pk_hash_mask", A_FUSE_KEY_MANIFEST_PK_HASH_MASK,
      .bits = R_FUSE_KEY_MANIFEST_PK_HASH_MASK_MASK_LENGTH },
    { "owner_pk_hash", A_FUSE_OWNER_PK_HASH, .words = 12 },
    { "fmc_key_manifest_svn", A_FUSE_FMC_KEY_MANIFEST_SVN, .bits = 32 },
    { "runtime_svn", A_FUSE_RUNTIME_SVN, .words = 4 },
    { "anti_rollback_disable", A_FUSE_ANTI_ROLLBACK_DISABLE,
      .bits = R_FUSE_ANTI_ROLLBACK_DISABLE_DIS_LENGTH },
    { "idevid_cert_attr", A_FUSE_IDEVID_CERT_ATTR, .words = 24 },
    { "idevid_manuf_hsm_id", A_FUSE_IDEVID_MANUF_HSM_ID, .words = 4 },
    { "life_cycle", A_FUSE_LIFE_CYCLE,
      .bits = R_FUSE_LIFE_CYCLE_LIFE_CYCLE_LENGTH },
    { "lms_verify", A_FUSE_LMS_VERIFY,
      .bits = R_FUSE_LMS_VERIFY_LMS_VERIFY_LENGTH },
    { "lms_revocation", A_FUSE_LMS_REVOCATION, .bits = 32 },
    { "soc_stepping_id", A_FUSE_SOC_STEPPING_ID,
      .bits = R_FUSE_SOC_STEPPING_ID_SOC_STEPPING_ID_LENGTH },
};

/* Index of its first word within CaliptraFuses.word */
static unsigned fuse_index(const CaliptraFuse *fuse)
{
    return (fuse->addr - A_FUSE_UDS_SEED) / 4;
}

uint8_t caliptra_lifecycle_code(CaliptraDeviceLifecycle lifecycle)
{
    static const uint8_t codes[] = {
        [CALIPTRA_DEVICE_LIFECYCLE_DEFAULT] = CALIPTRA_LIFECYCLE_UNPROVISIONED,
        [CALIPTRA_DEVICE_LIFECYCLE_UNPROVISIONED] =
            CALIPTRA_LIFECYCLE_UNPROVISIONED,
        [CALIPTRA_DEVICE_LIFECYCLE_MANUFACTURING] =
            CALIPTRA_LIFECYCLE_MANUFACTURING,
        [CALIPTRA_DEVICE_LIFECYCLE_PRODUCTION] = CALIPTRA_LIFECYCLE_PRODUCTION,
    };

    return codes[lifecycle];
}

bool caliptra_parse_words(const char *hex, uint32_t *words, unsigned n)
{
    unsigned i;

    if (strlen(hex) != 8 * n) {
        return false;
    }
    for (i = 0; i < 8 * n; i++) {
        if (!g_ascii_isxdigit(hex[i])) {
            return false;
        }
        words[i / 8] = words[i / 8] << 4 | g_ascii_xdigit_value(hex[i]);
    }
    return true;
}

static bool fuse_parse(const CaliptraFuse *fuse, QObject *value,
                       const char *file, uint32_t *words, Error **errp)
{
    if (fuse->words) {
        QString *str = qobject_to(QString, value);

        if (!str || !caliptra_parse_words(qstring_get_str(str), words,
                                          fuse->words)) {
            error_setg(errp, "%s: fuse '%s' must be a string of %u "
                       "hexadecimal digits", file, fuse->key,
                       8 * fuse->words);
            return false;
        }
    } else {
        QNum *num = qobject_to(QNum, value);
        uint64_t max = MAKE_64BIT_MASK(0, fuse->bits);
        uint64_t n;

        if (!num || !qnum_get_try_uint(num, &n) || n > max) {
            error_setg(errp, "%s: fuse '%s' must be a number from 0 to %"
                       PRIu64, file, fuse->key, max);
            return false;
        }
        words[0] = n;
    }
    return true;
}

static bool fuse_set(CaliptraFuses *fuses, const char *key, QObject *value,
                     const char *file, Error **errp)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(fuse_table); i++) {
        if (!strcmp(key, fuse_table[i].key)) {
            fuses->given |= BIT(i);
            return fuse_parse(&fuse_table[i], value, file,
                              &fuses->word[fuse_index(&fuse_table[i])],
                              errp);
        }
    }
    error_setg(errp, "%s: unknown fuse '%s'", file, key);
    return false;
}

bool caliptra_fuses_load(CaliptraFuses *fuses, const char *file,
                         Error **errp)
{
    ERRP_GUARD();
    g_autofree char *text = NULL;
    g_autoptr(QDict) dict = NULL;
    const QDictEntry *e;
    size_t size;
    QObject *obj;

    text = caliptra_read_file("fuse file", file, 1, FUSE_FILE_MAX, &size,
                              errp);
    if (!text) {
        return false;
    }
    obj = qobject_from_json(text, errp);
    if (!obj) {
        error_prepend(errp, "%s: ", file);
        return false;
    }
    dict = qobject_to(QDict, obj);
    if (!dict) {
        qobject_unref(obj);
        error_setg(errp, "%s: must hold a JSON object of fuses", file);
        return false;
    }
    for (e = qdict_first(dict); e; e = qdict_next(dict, e)) {
        if (!fuse_set(fuses, qdict_entry_key(e), qdict_entry_value(e), file,
                      errp)) {
            return false;
        }
    }
    return true;
}

void caliptra_fuses_override(CaliptraFuses *fuses, const CaliptraFuses *by)
{
    unsigned i, at;

    for (i = 0; i < ARRAY_SIZE(fuse_table); i++) {
        if (by->given & BIT(i)) {
            at = fuse_index(&fuse_table[i]);
            memcpy(&fuses->word[at], &by->word[at],
                   4 * MAX(fuse_table[i].words, 1));
        }
    }
    fuses->given |= by->given;
}

char *caliptra_fuses_names(const CaliptraFuses *fuses)
{
    GString *names = g_string_new(NULL);
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(fuse_table); i++) {
        if (fuses->given & BIT(i)) {
            g_string_append_printf(names, "%s%s", names->len ? ", " : "",
                                   fuse_table[i].key);
        }
    }
    return g_string_free(names, names->len == 0);
}
