/*
 * Protocol between a SoC and a Caliptra core in another process: frames
 *
 * docs/interop/caliptra-link.rst is the specification.  A frame is a header
 * of 8 bytes and up to 16 words of 32 bits; all is little-endian on the wire
 * and in host order here.  Pure functions on bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_LINK_PROTO_H
#define HW_MISC_CALIPTRA_LINK_PROTO_H

#define CALIPTRA_LINK_MAGIC         0x4C415043      /* "CPAL" */
#define CALIPTRA_LINK_VERSION       1

#define CALIPTRA_LINK_HEADER_SIZE   8
#define CALIPTRA_LINK_WORDS_MAX     16
#define CALIPTRA_LINK_FRAME_MAX \
    (CALIPTRA_LINK_HEADER_SIZE + 4 * CALIPTRA_LINK_WORDS_MAX)

typedef enum CaliptraLinkType {
    /* both, first of all */
    CALIPTRA_LINK_HELLO = 0x01,
    /* from the SoC, answered */
    CALIPTRA_LINK_READ = 0x10,
    CALIPTRA_LINK_PEEK = 0x11,
    CALIPTRA_LINK_INPUTS = 0x12,
    /* from the SoC, not answered */
    CALIPTRA_LINK_WRITE = 0x20,
    CALIPTRA_LINK_PONG = 0x21,
    /* from the core */
    CALIPTRA_LINK_ANSWER = 0x80,
    CALIPTRA_LINK_LINES = 0x81,
    CALIPTRA_LINK_REFUSED = 0x82,
    CALIPTRA_LINK_PING = 0x83,
} CaliptraLinkType;

/* Who sends a frame: bits of a mask */
typedef enum CaliptraLinkEnd {
    CALIPTRA_LINK_SOC = 1,
    CALIPTRA_LINK_CORE = 2,
} CaliptraLinkEnd;

/* ---- words of each type ---- */

enum {
    CALIPTRA_LINK_HELLO_MAGIC,
    CALIPTRA_LINK_HELLO_VERSION,
    CALIPTRA_LINK_HELLO_CAPS,
    CALIPTRA_LINK_HELLO_WORDS,          /* or more, which are ignored */
};

/* Capabilities: the SoC's end answers PING, the core's end holds its time */
#define CALIPTRA_LINK_CAP_TIME          (1u << 0)

/* READ, PEEK and WRITE; the first two have no data */
enum {
    CALIPTRA_LINK_ACCESS_OFFSET,
    CALIPTRA_LINK_ACCESS_PAUSER,
    CALIPTRA_LINK_ACCESS_DATA,
    CALIPTRA_LINK_ACCESS_WORDS,
};

/* All inputs of the core as they are from now on */
enum {
    CALIPTRA_LINK_INPUTS_LEVELS,
    CALIPTRA_LINK_INPUTS_SECURITY_STATE,
    CALIPTRA_LINK_INPUTS_WIRES,         /* 31:0, then 63:32 */
    CALIPTRA_LINK_INPUTS_OBF_KEY = CALIPTRA_LINK_INPUTS_WIRES + 2,
    CALIPTRA_LINK_INPUTS_WORDS = CALIPTRA_LINK_INPUTS_OBF_KEY + 8,
};

#define CALIPTRA_LINK_LEVEL_PWRGOOD     (1u << 0)
#define CALIPTRA_LINK_LEVEL_RST_B       (1u << 1)
#define CALIPTRA_LINK_LEVEL_BRKPOINT    (1u << 2)
#define CALIPTRA_LINK_LEVEL_SCAN_MODE   (1u << 3)
#define CALIPTRA_LINK_LEVELS            0xFu

enum {
    CALIPTRA_LINK_ANSWER_RESULT,
    CALIPTRA_LINK_ANSWER_DATA,
    CALIPTRA_LINK_ANSWER_WORDS,
};

#define CALIPTRA_LINK_OK                0
#define CALIPTRA_LINK_PSLVERR           1

/* Levels of the outputs, bit n is caliptra_link_lines[n] */
enum {
    CALIPTRA_LINK_LINES_LEVELS,
    CALIPTRA_LINK_LINES_WORDS,
};

#define CALIPTRA_LINK_NR_LINES          8
#define CALIPTRA_LINK_LINE_ETRNG_REQ    7

extern const char * const caliptra_link_lines[CALIPTRA_LINK_NR_LINES];

/* Writes that the core has refused: how many, and the first of them */
enum {
    CALIPTRA_LINK_REFUSED_COUNT,
    CALIPTRA_LINK_REFUSED_OFFSET,
    CALIPTRA_LINK_REFUSED_PAUSER,
    CALIPTRA_LINK_REFUSED_WORDS,
};

typedef struct CaliptraLinkFrame {
    CaliptraLinkType type;
    /* of a request, and of its answer; 0 in all others */
    uint32_t tag;
    uint32_t word[CALIPTRA_LINK_WORDS_MAX];
} CaliptraLinkFrame;

/**
 * caliptra_link_encode: a frame as it goes over the wire
 * @frame: the frame; as many words as its type has are used
 * @buf: takes it
 *
 * Returns: how many bytes it has.
 */
size_t caliptra_link_encode(const CaliptraLinkFrame *frame,
                            uint8_t buf[CALIPTRA_LINK_FRAME_MAX]);

/**
 * caliptra_link_decode: take the first frame of what has come
 * @frame: the frame, whatever the result is
 * @from: who has sent it, which decides on what may be in it
 * @buf: what has come
 * @len: how many bytes that is
 * @errp: what is wrong with it
 *
 * No byte behind the frame is read.  Of a HELLO with another magic or version
 * nothing else is looked at, and that is an error.
 *
 * Returns: how many bytes of @buf it has; 0: some are missing; -1: no byte
 * of this sender makes sense any more.
 */
int caliptra_link_decode(CaliptraLinkFrame *frame, CaliptraLinkEnd from,
                         const uint8_t *buf, size_t len, Error **errp);

#endif /* HW_MISC_CALIPTRA_LINK_PROTO_H */
