/*
 * Protocol between a SoC and a Caliptra core in another process: frames
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qapi/error.h"
#include "hw/misc/caliptra.h"
#include "caliptra_link_proto.h"

/* header: bytes of words behind it, type, tag */
#define HEADER_LENGTH   0
#define HEADER_TYPE     2
#define HEADER_TAG      4

const char * const caliptra_link_lines[CALIPTRA_LINK_NR_LINES] = {
    CALIPTRA_OUT_READY_FOR_FUSES,
    CALIPTRA_OUT_READY_FOR_FW,
    CALIPTRA_OUT_READY_FOR_RUNTIME,
    CALIPTRA_OUT_MBOX_DATA_AVAIL,
    CALIPTRA_OUT_MBOX_FLOW_DONE,
    CALIPTRA_OUT_ERROR_FATAL,
    CALIPTRA_OUT_ERROR_NON_FATAL,
    [CALIPTRA_LINK_LINE_ETRNG_REQ] = CALIPTRA_OUT_ETRNG_REQ,
};

typedef struct LinkType {
    CaliptraLinkType type;
    /* mask of the ends that send it */
    unsigned from;
    unsigned words;
    bool tagged;
    /* what is wrong with the words, NULL: nothing */
    const char *(*check)(const uint32_t *word);
} LinkType;

static const char *check_access(const uint32_t *word)
{
    uint32_t offset = word[CALIPTRA_LINK_ACCESS_OFFSET];

    return offset % 4 || offset >= CALIPTRA_WINDOW_SIZE ? "offset" : NULL;
}

static const char *check_inputs(const uint32_t *word)
{
    if (word[CALIPTRA_LINK_INPUTS_LEVELS] & ~CALIPTRA_LINK_LEVELS) {
        return "level";
    }
    return word[CALIPTRA_LINK_INPUTS_SECURITY_STATE] > 7 ? "security state"
                                                         : NULL;
}

static const char *check_answer(const uint32_t *word)
{
    return word[CALIPTRA_LINK_ANSWER_RESULT] > CALIPTRA_LINK_PSLVERR ?
           "result" : NULL;
}

static const char *check_lines(const uint32_t *word)
{
    return word[CALIPTRA_LINK_LINES_LEVELS] >> CALIPTRA_LINK_NR_LINES ?
           "line" : NULL;
}

static const char *check_refused(const uint32_t *word)
{
    if (word[CALIPTRA_LINK_REFUSED_COUNT] == 0) {
        return "count";
    }
    return word[CALIPTRA_LINK_REFUSED_OFFSET] >= CALIPTRA_WINDOW_SIZE ?
           "offset" : NULL;
}

static const LinkType link_types[] = {
    { CALIPTRA_LINK_HELLO, CALIPTRA_LINK_SOC | CALIPTRA_LINK_CORE,
      CALIPTRA_LINK_HELLO_WORDS, false, NULL },
    { CALIPTRA_LINK_READ, CALIPTRA_LINK_SOC, CALIPTRA_LINK_ACCESS_WORDS - 1,
      true, check_access },
    { CALIPTRA_LINK_PEEK, CALIPTRA_LINK_SOC, CALIPTRA_LINK_ACCESS_WORDS - 1,
      true, check_access },
    { CALIPTRA_LINK_INPUTS, CALIPTRA_LINK_SOC, CALIPTRA_LINK_INPUTS_WORDS,
      true, check_inputs },
    { CALIPTRA_LINK_WRITE, CALIPTRA_LINK_SOC, CALIPTRA_LINK_ACCESS_WORDS,
      false, check_access },
    { CALIPTRA_LINK_PONG, CALIPTRA_LINK_SOC, 0, false, NULL },
    { CALIPTRA_LINK_ANSWER, CALIPTRA_LINK_CORE, CALIPTRA_LINK_ANSWER_WORDS,
      true, check_answer },
    { CALIPTRA_LINK_LINES, CALIPTRA_LINK_CORE, CALIPTRA_LINK_LINES_WORDS,
      false, check_lines },
    { CALIPTRA_LINK_REFUSED, CALIPTRA_LINK_CORE, CALIPTRA_LINK_REFUSED_WORDS,
      false, check_refused },
    { CALIPTRA_LINK_PING, CALIPTRA_LINK_CORE, 0, false, NULL },
};

static const LinkType *link_type(uint16_t type)
{
    for (size_t i = 0; i < ARRAY_SIZE(link_types); i++) {
        if (link_types[i].type == type) {
            return &link_types[i];
        }
    }
    return NULL;
}

size_t caliptra_link_encode(const CaliptraLinkFrame *frame,
                            uint8_t buf[CALIPTRA_LINK_FRAME_MAX])
{
    const LinkType *t = link_type(frame->type);

    stw_le_p(buf + HEADER_LENGTH, 4 * t->words);
    stw_le_p(buf + HEADER_TYPE, frame->type);
    stl_le_p(buf + HEADER_TAG, t->tagged ? frame->tag : 0);
    for (unsigned i = 0; i < t->words; i++) {
        stl_le_p(buf + CALIPTRA_LINK_HEADER_SIZE + 4 * i, frame->word[i]);
    }
    return CALIPTRA_LINK_HEADER_SIZE + 4 * t->words;
}

/* Others may have more to say in their HELLO, which has to be understood */
static bool length_ok(const LinkType *t, uint16_t length)
{
    if (t->type == CALIPTRA_LINK_HELLO) {
        return length >= 4 * t->words && length % 4 == 0 &&
               length <= 4 * CALIPTRA_LINK_WORDS_MAX;
    }
    return length == 4 * t->words;
}

static bool hello_ok(const uint32_t *word, Error **errp)
{
    if (word[CALIPTRA_LINK_HELLO_MAGIC] != CALIPTRA_LINK_MAGIC) {
        error_setg(errp, "the other end does not speak Caliptra's link "
                   "protocol");
        return false;
    }
    if (word[CALIPTRA_LINK_HELLO_VERSION] != CALIPTRA_LINK_VERSION) {
        error_setg(errp, "the other end speaks version %u of the link "
                   "protocol, this one version %u",
                   word[CALIPTRA_LINK_HELLO_VERSION], CALIPTRA_LINK_VERSION);
        return false;
    }
    return true;
}

int caliptra_link_decode(CaliptraLinkFrame *frame, CaliptraLinkEnd from,
                         const uint8_t *buf, size_t len, Error **errp)
{
    const LinkType *t;
    const char *bad = NULL;
    uint16_t length;

    memset(frame, 0, sizeof(*frame));
    if (len < CALIPTRA_LINK_HEADER_SIZE) {
        return 0;
    }
    length = lduw_le_p(buf + HEADER_LENGTH);
    frame->type = lduw_le_p(buf + HEADER_TYPE);
    frame->tag = ldl_le_p(buf + HEADER_TAG);
    t = link_type(frame->type);
    if (!t || !(t->from & from)) {
        error_setg(errp, "bad frame of type 0x%x", frame->type);
        return -1;
    }
    if (!length_ok(t, length)) {
        error_setg(errp, "bad frame of type 0x%x: %u bytes", frame->type,
                   length);
        return -1;
    }
    if (!t->tagged && frame->tag) {
        error_setg(errp, "bad frame of type 0x%x: tag", frame->type);
        return -1;
    }
    if (len < CALIPTRA_LINK_HEADER_SIZE + length) {
        return 0;
    }
    for (unsigned i = 0; i < length / 4; i++) {
        frame->word[i] = ldl_le_p(buf + CALIPTRA_LINK_HEADER_SIZE + 4 * i);
    }
    if (t->type == CALIPTRA_LINK_HELLO) {
        if (!hello_ok(frame->word, errp)) {
            return -1;
        }
    } else if (t->check) {
        bad = t->check(frame->word);
    }
    if (bad) {
        error_setg(errp, "bad frame of type 0x%x: %s", frame->type, bad);
        return -1;
    }
    return CALIPTRA_LINK_HEADER_SIZE + length;
}
