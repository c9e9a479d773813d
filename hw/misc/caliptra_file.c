/*
 * Files that the user gives to a Caliptra core and the SoC around it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/misc/caliptra_file.h"

/* hosts without it have no FIFOs in the file system either */
#ifndef O_NONBLOCK
#define O_NONBLOCK 0
#endif

static char *file_read_fd(int fd, const char *file, size_t min, size_t max,
                          size_t *size, Error **errp)
{
    g_autofree char *data = NULL;
    size_t done = 0;
    struct stat st;

    if (fstat(fd, &st) < 0) {
        error_setg_errno(errp, errno, "cannot examine '%s'", file);
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        error_setg(errp, "'%s' is not a regular file", file);
        return NULL;
    }
    if (st.st_size < min || st.st_size > max) {
        error_setg(errp, "'%s' has %jd bytes, must have %zu to %zu", file,
                   (intmax_t)st.st_size, min, max);
        return NULL;
    }
    data = g_malloc(st.st_size + 1);
    while (done < st.st_size) {
        ssize_t n = RETRY_ON_EINTR(read(fd, data + done, st.st_size - done));

        if (n < 0) {
            error_setg_errno(errp, errno, "cannot read '%s'", file);
            return NULL;
        }
        if (n == 0) {
            error_setg(errp, "'%s' became shorter while it was read", file);
            return NULL;
        }
        done += n;
    }
    data[done] = '\0';
    *size = done;
    return g_steal_pointer(&data);
}

char *caliptra_read_file(const char *what, const char *file, size_t min,
                         size_t max, size_t *size, Error **errp)
{
    ERRP_GUARD();
    char *data = NULL;
    int fd = qemu_open(file, O_RDONLY | O_BINARY | O_NONBLOCK, errp);

    if (fd >= 0) {
        data = file_read_fd(fd, file, min, max, size, errp);
        qemu_close(fd);
    }
    if (!data) {
        error_prepend(errp, "%s: ", what);
    }
    return data;
}
