/*
 * Files that hold the OTP of an ASPEED AST2700
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ASPEED_OTP_IMAGE_H
#define ASPEED_OTP_IMAGE_H

/* No form of an OTP image is longer, in bytes */
#define ASPEED_OTP_IMAGE_MAX    0x4000

/**
 * aspeed_otp_image_parse: take the words of an OTP out of an image
 * @data: contents of the file
 * @len: their length in bytes, at most ASPEED_OTP_IMAGE_MAX
 * @words: where the 0x2000 words go, in host order; as they are in the OTP
 * @flat: whether the word at address n stands at byte 2 * n of the file,
 *        little-endian, so that it can be written back
 * @errp: what is wrong with the file; @words are not changed then
 *
 * Three forms are taken (socsec, otptool.py): the image that U-Boot's
 * "otp prog" takes ("SOCOTP", regions, SHA-384), the flat binary beside it
 * (0x3F00 bytes, without the PUF words), and a dump of the whole OTP (0x4000
 * bytes).  As files are read in sectors, a flat binary counts as a dump
 * without PUF.
 *
 * otptool writes the value of the straps into all six options of a flat
 * binary although their XOR counts; the value is put where U-Boot's
 * programming would put it, into the first option.
 *
 * Returns: whether it is an OTP image.
 */
bool aspeed_otp_image_parse(const uint8_t *data, size_t len, uint16_t *words,
                            bool *flat, Error **errp);

#endif /* ASPEED_OTP_IMAGE_H */
