#include "formats/qr.h"
#include <qrencode.h>

#define QUIET 4

bool qr_path(struct str text, struct buf *out, int *size) {
    QRcode *code = QRcode_encodeData((int)text.n, (const unsigned char *)text.p, 0, QR_ECLEVEL_M);
    if (!code)
        return false;
    // Squares of a row that stand together are one piece of the path.
    for (int y = 0; y < code->width; y++)
        for (int x = 0, n; x < code->width; x += n) {
            bool dark = code->data[y * code->width + x] & 1;
            for (n = 1; x + n < code->width; n++)
                if ((code->data[y * code->width + x + n] & 1) != dark)
                    break;
            if (dark)
                buf_printf(out, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, n, n);
        }
    *size = code->width + 2 * QUIET;
    QRcode_free(code);
    return !out->overflow;
}
