// Comparing texts as people do: without accents and case; counting and cutting by what people call
// a character (utf8proc, Unicode 15).
#ifndef CRONISTA_FORMATS_FOLD_H
#define CRONISTA_FORMATS_FOLD_H

#include "base/arena.h"
#include "base/buf.h"

// Adds the folded text: compatibility decomposition (NFKD), combining marks and invisible
// characters dropped, case folded, letters that do not decompose spelled in ASCII (ł l, ø o, đ d, ß
// ss, æ ae, œ oe, ı i, þ th, ħ h ...), any run of white space one blank, none at the ends.
// " Łódź\tÆrø " gives "lodz aero". Folding twice changes nothing. Invalid UTF-8 counts as U+FFFD. A
// folded text can be up to some 12 times as long as the text (ligatures like U+FDFA).
void fold(struct buf *out, struct str text);
struct str fold_str(struct arena *, struct str text);

// What a person counts: "é" is one however it is written, so is a flag or a family emoji (UAX 29).
size_t grapheme_count(struct str);
// Bytes of the first `graphemes` of them; all of it when it has fewer.
size_t grapheme_cut(struct str, size_t graphemes);

#endif
