/*
 * Files that the user gives to a Caliptra core and the SoC around it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_FILE_H
#define HW_MISC_CALIPTRA_FILE_H

/**
 * caliptra_read_file: contents of a file that the user has named
 * @what: what the file is, for the error message
 * @file: name of the file
 * @min: least size, in bytes
 * @max: greatest size, in bytes
 * @size: where the size goes
 * @errp: why the file is not taken
 *
 * Only a regular file of a sane size is read; neither a FIFO nor a device
 * nor a file that has no end can make QEMU wait.
 *
 * Returns: the contents, followed by a NUL byte, to be freed; or NULL.
 */
char *caliptra_read_file(const char *what, const char *file, size_t min,
                         size_t max, size_t *size, Error **errp);

#endif /* HW_MISC_CALIPTRA_FILE_H */
