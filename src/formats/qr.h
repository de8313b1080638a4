// QR codes (ISO/IEC 18004, libqrencode) as what an SVG needs.
#ifndef CRONISTA_FORMATS_QR_H
#define CRONISTA_FORMATS_QR_H

#include "base/buf.h"

// The path (attribute `d`) of its dark squares, of one unit each, within the quiet zone of four that the standard asks for.
// *size: units on a side, with that zone. False for what is too long.
bool qr_path(struct str text, struct buf *out, int *size);

#endif
